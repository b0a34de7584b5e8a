"""Whatever is asked for, the same route answers as if all of them were tried in turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.testclient import TestClient

from tallywatt.entrypoints.http.aisles import FOUND, Aisles
from tallywatt.entrypoints.http.app import every_route

if TYPE_CHECKING:
    from starlette.requests import Request

EVERY = every_route()
AISLES = Aisles(EVERY)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
SOMETHING = st.text(alphabet="ab1./%-{é ", max_size=6)


def one_by_one(scope: dict[str, Any]) -> tuple[Match, BaseRoute | None]:
    partial: tuple[Match, BaseRoute | None] = (Match.NONE, None)
    for route in EVERY:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return match, route
        if match is Match.PARTIAL and partial[1] is None:
            partial = match, route
    return partial


@given(
    place=st.sampled_from([route.path for route in EVERY] + ["", "/", "//", "/nowhere", "nowhere"]),  # type: ignore[attr-defined]  # each has one
    method=st.sampled_from(METHODS),
    filling=SOMETHING,
    ending=SOMETHING,
)
def test_the_same_route_is_found_as_by_trying_each(place: str, method: str, filling: str, ending: str) -> None:
    path = re.sub(r"{[^}]*}", filling.replace("\\", ""), place) + ending
    scope = {"type": "http", "path": path, "method": method, "root_path": "", "headers": []}
    match, told = AISLES.matches(dict(scope))
    assert (match, told.get(FOUND)) == one_by_one(dict(scope))


async def says(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.scope['route'].name} {dict(request.path_params)}")


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/a/1", 200, "one {'x': '1'}"),
        ("GET", "/a/last", 200, "one {'x': 'last'}"),
        ("POST", "/a/last", 200, "last {}"),
        ("GET", "/b/c", 200, "any {'y': 'b', 'z': 'c'}"),
        ("PUT", "/a/1", 405, "Method Not Allowed"),
        ("GET", "/a/1/2", 404, "Not Found"),
        ("GET", "/", 404, "Not Found"),
    ],
)
def test_the_route_that_was_found_answers_with_what_stands_in_its_address(
    method: str, path: str, status: int, told: str
) -> None:
    routes = [
        Route("/a/{x}", says, methods=["GET"], name="one"),
        Route("/a/last", says, methods=["POST"], name="last"),
        Route("/{y}/{z}", says, methods=["GET"], name="any"),
    ]
    answer = TestClient(Router([Aisles(routes)])).request(method, path)
    assert (answer.status_code, answer.text) == (status, told)
