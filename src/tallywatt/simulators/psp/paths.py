"""Pure: JSON requests of providers that speak it: their routes with several ids, and their bodies checked by field."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tallywatt.simulators.psp.refusals import Refusal, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.wire import Request

    Handler = Callable[[Call], Any]


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


def read_request(
    routes: tuple[Route, ...], request: Request, nothing_there: str
) -> tuple[Handler, str, dict[str, Any]]:
    """Who carries a request out, the id in its path, and the fields of its body or query."""
    found = find_route(routes, request)
    if found is None:
        raise Refusal(404, "invalid_request_error", nothing_there)
    route, named = found
    if request.method == "GET":
        params: dict[str, Any] = {name: values[-1] for name, values in parse_qs(request.query).items()}
    else:
        params = read_body(route, request.body)
    return (
        route.handler,
        named.get("id", ""),
        {**params, **{name: one for name, one in named.items() if name == "merchant"}},
    )


def carried_out(call: Call, handler: Handler, params: dict[str, Any], id_: str = "") -> Any:
    """What the common books do with a request of theirs, within a request in another provider's words."""
    kept = call.params, call.id
    call.params, call.id = params, id_
    try:
        return handler(call)
    finally:
        call.params, call.id = kept
