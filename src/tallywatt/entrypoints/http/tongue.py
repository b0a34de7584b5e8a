"""In which language a request is answered: what its reader chose, else what the browser prefers, else the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from starlette.requests import cookie_parser

from tallywatt.entrypoints.pages import language

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "tallywatt_language"
FIELD: Final = b"lang="
COOKIE_SECONDS: Final = 365 * 24 * 3600


class Tongue:
    """ASGI middleware: `?lang=de` counts and is kept in a cookie, then the cookie, then Accept-Language."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self._attributes = f"; Max-Age={COOKIE_SECONDS}; Path=/; SameSite=Lax; HttpOnly{'; Secure' if secure else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with the reader's language set for all that happens inside."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        chosen = _chosen(scope["query_string"])
        kept = cookie_parser(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
        accepted = headers.get(b"accept-language", b"").decode("latin-1")
        # Not taken back afterwards: every request is a task of its own, and an error is told outside of this.
        language.speak(chosen or language.known(kept) or language.negotiate(accepted))

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = list(message["headers"])
                if any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in more):
                    more.append((b"content-language", language.language().encode()))
                    more.append((b"vary", b"Accept-Language, Cookie"))
                if chosen is not None:
                    more.append((b"set-cookie", f"{COOKIE}={chosen}{self._attributes}".encode()))
                message = {**message, "headers": more}
            await send(message)

        await self.app(scope, receive, told)


def _chosen(query: bytes) -> str | None:
    if FIELD not in query:
        return None
    return language.known(parse_qs(query.decode("latin-1")).get("lang", [None])[0])
