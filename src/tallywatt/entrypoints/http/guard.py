"""What holds for every request before a route sees it: where it comes from, how often; and for every answer: its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request

from tallywatt.entrypoints.http import problems
from tallywatt.entrypoints.http.limits import headers_of, too_many

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tallywatt.entrypoints.http.limits import Limits

HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
STANDING: Final = "standing"
"""Where in a request's state it is kept how much of a limit is left."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"
)
_UNUSED: Final = (
    "accelerometer", "autoplay", "camera", "clipboard-read", "display-capture", "encrypted-media",
    "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer",
    "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "usb",
    "window-management", "xr-spatial-tracking",
)  # fmt: skip
"""Powers of a browser that no page of ours asks for. Those of passkeys are not among them."""
_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # A driver's link is a secret in an address: no other site may read it in a referrer.
    "referrer-policy": "no-referrer",
    "permissions-policy": ", ".join(f"{name}=()" for name in _UNUSED),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "x-permitted-cross-domain-policies": "none",
    "x-dns-prefetch-control": "off",
    "origin-agent-cluster": "?1",
}
"""The list of the OWASP Secure Headers Project, whole."""
# Other names below this host may be another's, and not ready for it: they are left out.
_SECURE_ONLY: Final = "max-age=31536000"
TO_PAY: Final = ("/evse/", "/s/")
"""Pages with a form that ends on a provider's page."""
STATIC_AGE: Final = "public, max-age=31536000, immutable"
"""The addresses of static files carry the version of their content."""


class Guard:
    """ASGI middleware around every route. It does not touch the body, so that streams stay streams."""

    def __init__(self, app: ASGIApp, base_url: str, limits: Limits) -> None:
        self.app = app
        self._limits = limits
        self._own_host = urlsplit(base_url).netloc
        secure = base_url.startswith("https://")
        # A browser applies this also to where a form is redirected: from an EVSE's or a session's page to the provider's.
        elsewhere = "'self' https:" if secure else "'self' https: http:"
        upgrade = "; upgrade-insecure-requests" if secure else ""
        self._policy = (_POLICY.format(form_action="'self'") + upgrade).encode()
        self._policy_with_payment = (_POLICY.format(form_action=elsewhere) + upgrade).encode()
        always = dict(_ALWAYS)
        if secure:
            always["strict-transport-security"] = _SECURE_ONLY
        self._always = [(name.encode(), value.encode()) for name, value in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass, with the headers added to whatever is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        answering = self._answering(scope, state, send)
        refusal = self._refusal(scope, state)
        if refusal is not None:
            await problems.answer(Request(scope), *refusal)(scope, receive, answering)
            return
        await self.app(scope, receive, answering)

    def _refusal(self, scope: Scope, state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]] | None:
        """Why nobody is asked: problem details and headers; None when the request may pass."""
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            # No text with a NUL is in any database; asking for one would only make it complain.
            return problems.problem(400, "request.unreadable", "the address holds a NUL"), {}
        standing = self._limits.at_the_door(scope)
        if standing is not None:
            state[STANDING] = standing
            if not standing.allowed:
                return problems.told(too_many(standing))
        if crosses_sites(scope, self._own_host):
            detail = "this was sent by a page of another site"
            remedy = "open our own page and send the form from there"
            return problems.problem(403, "access.cross_site", detail, remedy), {}
        return None

    def _answering(self, scope: Scope, state: dict[str, Any], send: Send) -> Send:
        path = scope["path"]
        policy = self._policy_with_payment if path.startswith(TO_PAY) else self._policy

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                headers += self._always
                headers.append((b"content-security-policy", policy))
                if STANDING in state:
                    headers += headers_of(state[STANDING])
                if path.startswith("/static/"):
                    headers.append((b"cache-control", STATIC_AGE.encode()))
                elif not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        return guarded


def crosses_sites(scope: Scope, own_host: str) -> bool:
    """Whether a browser sends this for a page that is not ours. The third lock, beside SameSite and the forms' token.

    Whoever sends a key in a header is no browser that was lured: it would have had to ask first, and is never told yes.
    """
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["method"] in HARMLESS or b"authorization" in headers:
        return False
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get(b"origin", "null")
    # Our own referrer policy makes old browsers say "null"; the token of the form decides then.
    return origin != "null" and urlsplit(origin).netloc not in {own_host, headers.get(b"host", "")}
