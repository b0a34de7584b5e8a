"""Routes that are looked for by the first part of their address, instead of one after the other.

Four hundred and fifty patterns tried in turn take up to half a millisecond of every request. Their order among those that may
match an address is kept, and so is everything that each says about itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute, Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

FOUND = "tallywatt.route"


class Aisles(BaseRoute):
    """One route that stands for many."""

    def __init__(self, routes: Sequence[Any]) -> None:
        """`routes`: each with a `path`, in the order in which they are tried."""
        self.routes = list(routes)
        firsts = [_first(route.path) for route in self.routes]
        named = {one for one in firsts if "{" not in one}
        self._by_first = {
            name: [route for route, first in zip(self.routes, firsts, strict=True) if first == name or "{" in first]
            for name in named
        }
        self._others = [route for route, first in zip(self.routes, firsts, strict=True) if "{" in first]

    @property
    def original_router(self) -> Aisles:
        """Where the routes are that this one stands for, as an included router says it."""
        return self

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the first route that takes it, else as the first that knows the address and not the method."""
        partial: tuple[Match, Scope] = (Match.NONE, {})
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for route in self._by_first.get(_first(path), self._others):
            match, told = route.matches(scope)
            if match is Match.FULL:
                return match, {"route": route, **told, FOUND: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {"route": route, **told, FOUND: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that was found."""
        await scope[FOUND].handle(scope, receive, send)


def _first(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else path
