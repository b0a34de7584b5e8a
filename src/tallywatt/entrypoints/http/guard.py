"""Headers that every answer carries: a strict policy for what a page may load, and no secret in a referrer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"
)
_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # A driver's link is a secret in an address: no other site may read it in a referrer.
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
STATIC_AGE: Final = "public, max-age=31536000, immutable"
"""The addresses of static files carry the version of their content."""


async def _refuse(send: Send) -> None:
    body = b'{"title":"Bad Request","status":400,"code":"request.unreadable","detail":"the address holds a NUL"}'
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Guard:
    """ASGI middleware that sets the headers. It does not touch the body, so that streams stay streams."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self.app = app
        secure = base_url.startswith("https://")
        # A browser applies this also to where a form is redirected: from an EVSE's page to the provider's own.
        elsewhere = "'self' https:" if secure else "'self' https: http:"
        self._policy = _POLICY.format(form_action="'self'").encode()
        self._policy_with_payment = _POLICY.format(form_action=elsewhere).encode()
        always = dict(_ALWAYS)
        if secure:
            always["strict-transport-security"] = "max-age=31536000"
        self._always = [(name.encode(), value.encode()) for name, value in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the headers added."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if "\0" in path or b"%00" in scope["query_string"]:
            # No text with a NUL is in any database; asking for one would only make it complain.
            await _refuse(send)
            return
        policy = self._policy_with_payment if path.startswith("/evse/") else self._policy

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                headers += self._always
                headers.append((b"content-security-policy", policy))
                if path.startswith("/static/"):
                    headers.append((b"cache-control", STATIC_AGE.encode()))
                elif not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, guarded)
