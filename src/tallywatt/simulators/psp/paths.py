"""Pure: JSON requests of providers that speak it: their routes with several ids, and their bodies checked by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.wire import Request


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: method, path with names in braces, who carries it out, and the fields that it takes."""

    method: str
    path: str
    handler: Callable[[Call], Any]
    fields: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    status: int = 200

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """What stands in the path for each name, if the request is for this endpoint."""
        own, given = self.path.strip("/").split("/"), path.strip("/").split("/")
        if method != self.method or len(own) != len(given):
            return None
        named: dict[str, str] = {}
        for mine, theirs in zip(own, given, strict=True):
            if mine.startswith("{"):
                named[mine.strip("{}")] = theirs
            elif mine != theirs:
                return None
        return named


def find_route(routes: tuple[Route, ...], request: Request) -> tuple[Route, dict[str, str]] | None:
    """The endpoint of a request, with the ids in its path."""
    for route in routes:
        named = route.match(request.method, request.path)
        if named is not None:
            return route, named
    return None


def read_body(route: Route, body: bytes) -> dict[str, Any]:
    """The fields of a JSON body; a field that is not known, or one that lacks, is refused."""
    try:
        given = json.loads(body or b"{}")
    except ValueError as error:
        msg = "The request body is not valid JSON."
        raise bad_request(msg) from error
    if not isinstance(given, dict):
        msg = "The request body is not an object."
        raise bad_request(msg)
    for name in given:
        if name not in route.fields:
            msg = f"Non-existent body parameter '{name}'."
            raise bad_request(msg, param=name)
    for name in route.required:
        if given.get(name) in (None, "", {}):
            msg = f"The field '{name}' is required."
            raise bad_request(msg, param=name)
    return given
