"""How every resource of the API behaves alike: known parameters, sparse fieldsets, ETags, pages with an opaque cursor."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import Query, Response
from fastapi.routing import APIRoute

from tallywatt.entrypoints.http.telling import Told, as_json
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request
    from fastapi.dependencies.models import Dependant

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

FIELDS: Final = "fields"
IF_MATCH: Final = "if-match"
KEPT: Final = "private, no-cache"
"""A caller may keep an answer, and asks each time whether it still holds."""
_READS: Final = frozenset({"GET", "HEAD"})
_JSON: Final = "application/json"
_SEEN = re.compile(r'(?:W/)?"(\d+)(?:-[0-9a-f]+)?"')
NO_VERSION: Final = -1
"""What no row has been written as often as."""


class Resource(APIRoute):
    """A route of the API. What all reads have in common is here, so that no resource can forget it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, with the manners around it."""
        handle = super().get_route_handler()
        if not _READS & (self.methods or set()):
            return handle
        known = frozenset(_query_names(self.dependant)) | {FIELDS}

        async def answer(request: Request) -> Response:
            wanted = _fields_of(request, known)
            response = await handle(request)
            body = getattr(response, "body", None)
            if body is None or response.status_code != 200:
                return response  # a stream, or something else than the resource
            if wanted and response.media_type == _JSON:
                body = response.body = msgspec.json.encode(_narrowed(msgspec.json.decode(body), wanted))
                response.headers["content-length"] = str(len(body))
            return _with_etag(request, response, body)

        return answer


def _query_names(dependant: Dependant) -> list[str]:
    """The names of all query parameters, also those of what a route depends on."""
    own = [one.alias for one in dependant.query_params]
    return own + [name for inner in dependant.dependencies for name in _query_names(inner)]


def _fields_of(request: Request, known: frozenset[str]) -> tuple[str, ...]:
    """The members that are asked for; a parameter that nobody reads is refused, for it is a filter misspelt."""
    given = request.query_params
    if not given:
        return ()
    for name in given:
        if name not in known:
            msg = f"there is no parameter {name!r} here"
            raise BadInput(msg, code="request.unknown_parameter", remedy=f"use one of: {', '.join(sorted(known))}")
    text = given.get(FIELDS)
    if text is None:
        return ()
    names = tuple(filter(None, (name.strip() for name in text.split(","))))
    if not names:
        msg = "fields names no member"
        raise BadInput(msg, code="request.unknown_field", remedy="name members with commas between: fields=id,state")
    return names


def _narrowed(value: Any, wanted: tuple[str, ...]) -> Any:
    """A resource, or each item of a list, with these members alone."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        rows = value["items"]
        _require_known(rows[:1], wanted)
        return {**value, "items": [{name: row[name] for name in wanted if name in row} for row in rows]}
    _require_known([value], wanted)
    return {name: value[name] for name in wanted}


def _require_known(rows: list[Any], wanted: tuple[str, ...]) -> None:
    for row in rows:
        unknown = [name for name in wanted if name not in row]
        if unknown:
            msg = f"there is no member {unknown[0]!r} here"
            raise BadInput(msg, code="request.unknown_field", remedy=f"use some of: {', '.join(row)}")


def _with_etag(request: Request, response: Response, body: bytes | memoryview) -> Response:
    etag = response.headers.get("etag")
    if etag is None:
        digest = hashlib.blake2b(body, digest_size=9).hexdigest()
        version = response.version if isinstance(response, Told) else None
        etag = f'"{digest}"' if version is None else f'"{version}-{digest}"'
        response.headers["etag"] = etag
    response.headers.setdefault("cache-control", KEPT)
    asked = request.headers.get("if-none-match")
    if asked is not None and _names(asked, etag):
        return Response(None, 304, {"ETag": etag, "Cache-Control": response.headers["cache-control"]})
    return response


def _names(asked: str, etag: str) -> bool:
    """Weak comparison, as RFC 9110 says for If-None-Match."""
    tags = [one.strip().removeprefix("W/") for one in asked.split(",")]
    return "*" in tags or etag in tags


def seen_version(request: Request) -> int | None:
    """Which version of a thing the caller has seen, by If-Match; None: whichever. It is compared where it is changed."""
    text = request.headers.get(IF_MATCH)
    if text is None or text.strip() == "*":
        return None
    found = _SEEN.fullmatch(text.strip())
    # A tag that is none of ours is the tag of no version.
    return int(found[1][:18]) if found is not None else NO_VERSION


def page(request: Request, found: dict[str, Any]) -> Response:
    """A page of a list as a view tells it: `items`, `next`, and the address of the next page in a Link header."""
    following = found["next"]
    if following is None:
        return as_json(found)
    cursor = cursor_of(following)
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    address = f"{request.url.path}?{urlencode([*rest, ('cursor', cursor)])}"
    return as_json({**found, "next": cursor}, headers={"Link": f'<{address}>; rel="next"'})


def cursor_of(key: str) -> str:
    """A place in a list as callers see it: they hand it back, and read nothing from it."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> str | None:
    """The place behind a cursor, or BadInput."""
    if not cursor:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad_cursor() from error
    if not key.isprintable():
        raise bad_cursor()
    return key


def bad_cursor() -> BadInput:
    """A cursor that was not given by us."""
    msg = "this cursor is none"
    return BadInput(msg, code="request.bad_cursor", remedy="use what `next` said, or leave it out for the first page")


Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page has at most.")]
Cursor = Annotated[
    str | None, Query(max_length=512, description="The `next` of the page before; leave it out for the first page.")
]


async def listed(
    request: Request, house: House, caller: Caller, name: str, limit: int, cursor: str | None, **filters: Any
) -> Response:
    """A page of one of the lists, narrowed by the filters that are given."""
    plain = {key: getattr(value, "value", value) for key, value in filters.items() if value is not None}
    found = await house.ask(house.views.page, name, caller.operator_id, limit, place_of(cursor), **plain)
    return page(request, found)
