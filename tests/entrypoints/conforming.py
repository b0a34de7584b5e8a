"""A client that holds every answer against the API's documentation: each test that asks the API tests its schemas."""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import jsonschema_rs
from anyio.from_thread import start_blocking_portal
from httpx2 import BaseTransport, ByteStream, Response
from starlette.testclient import TestClient

from tallywatt.entrypoints.http.described import ANSWERS
from tallywatt.entrypoints.http.problems import MEDIA_TYPE
from tallywatt.entrypoints.http.reference import known_problems

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import MutableMapping

    from anyio.from_thread import BlockingPortal
    from fastapi import FastAPI
    from httpx2 import Request

_documents: list[Documented] = []
_open = ExitStack()
"""Closed with the process."""


class Documented:
    """The documentation of the API, ready to be held against answers."""

    def __init__(self, api: dict[str, Any]) -> None:
        self.api = api
        self._paths = [
            (re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))), path)
            # A path without names goes before one whose name would fit.
            for path in sorted(api["paths"], key=lambda path: (path.count("{"), path))
        ]
        self._validator = cache(self._compiled)
        self.operation = lru_cache(maxsize=4096)(self._operation)
        """What is documented of a request, by method and path, or None."""

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, template in self._paths:
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = self.api["paths"][template].get(method.lower())
                return found if f"{method.upper()} {template}" in ANSWERS else None
        return None

    def errors_of(self, method: str, path: str, query: str, answer: Response) -> list[str]:
        """In what an answer is not as documented."""
        operation = self.operation(method, path)
        if operation is None:
            return []
        documented = operation["responses"].get(str(answer.status_code))
        if documented is None:
            return [f"{answer.status_code} is not documented: {answer.text[:200]}"]
        if answer.status_code == 304 or "content" not in documented:
            return []
        media = answer.headers.get("content-type", "").partition(";")[0]
        if media not in documented["content"]:
            return [f"{media} is not documented for {answer.status_code}"]
        schema = documented["content"][media].get("schema", {})
        if "json" not in media or "$ref" not in schema or "fields=" in query:
            return []
        return self.errors_in(schema, answer.json())

    def errors_in(self, schema: dict[str, Any], value: Any) -> list[str]:
        """In what a value is not as a schema of the documentation says."""
        return [f"{one.instance_path}: {one.message}" for one in self._validator(schema["$ref"]).iter_errors(value)]

    def _compiled(self, ref: str) -> Any:
        whole = {"$ref": ref, "components": self.api["components"]}
        return jsonschema_rs.Draft202012Validator(whole)


def documented(app: FastAPI) -> Documented:
    """The documentation; made once, for every app has the same routes."""
    if not _documents:
        _documents.append(Documented(app.openapi()))
    return _documents[0]


@cache
def _codes() -> frozenset[str]:
    return frozenset(one["code"] for one in known_problems())


@cache
def _loop() -> BlockingPortal:
    """One event loop for all requests, as a server has one; a loop and a thread of its own for each take half the time."""
    return _open.enter_context(start_blocking_portal())


@cache
def _running() -> AbstractEventLoop:
    """The same as asyncio knows it. To hand it something is one way there and back; by the portal it is two."""
    return _loop().call(asyncio.get_running_loop)


def end_loop() -> None:
    """End it, so that a program that is no test run can end, too."""
    _open.close()
    _loop.cache_clear()
    _running.cache_clear()


WHOLE: Final = "whole"
"""Marks a request whose answer is wanted whole and not as a stream."""


class WholeAnswers(BaseTransport):
    """Goes to the loop's thread once for an answer; Starlette's own goes there eight times, for the pieces of a stream."""

    def __init__(self, client: ConformingClient, streams: BaseTransport) -> None:
        self._client = client
        self._streams = streams

    def handle_request(self, request: Request) -> Response:
        """Ask the app. It is done when this returns, and what it raises is raised."""
        if WHOLE not in request.extensions:
            return self._streams.handle_request(request)
        return asyncio.run_coroutine_threadsafe(self._answer(request), _running()).result()

    def close(self) -> None:
        """Let go of the streams."""
        self._streams.close()

    async def _answer(self, request: Request) -> Response:
        waiting = [{"type": "http.request", "body": request.read()}]
        started: dict[str, Any] = {}
        pieces: list[bytes] = []
        done = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await done.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            assert not done.is_set(), "something after the end of an answer"
            if message["type"] == "http.response.start":
                assert not started, "two answers"
                started.update(message)
                return
            assert started, "a body before its head"
            pieces.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                done.set()

        await self._client.app(self._scope(request), receive, send)
        assert done.is_set(), "no answer, or half of one"
        body = b"" if request.method == "HEAD" else b"".join(pieces)
        return Response(started["status"], headers=started.get("headers"), stream=ByteStream(body), request=request)

    def _scope(self, request: Request) -> dict[str, Any]:
        url = request.url
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.partition(b"?")[0],
            "root_path": "",
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("testclient", 50000),
            "server": [url.host, url.port or {"http": 80, "https": 443}[url.scheme]],
            "state": self._client.app_state.copy(),
        }


class ConformingClient(TestClient):
    """Asks, and looks whether the answer is one that is documented."""

    def __init__(self, app: FastAPI, **more: Any) -> None:
        super().__init__(app, **more)
        self.portal = _loop()
        self._transport = WholeAnswers(self, self._transport)

    def request(self, method: str, url: Any, **more: Any) -> Response:
        """Ask."""
        more["extensions"] = {**(more.get("extensions") or {}), WHOLE: True}
        answer: Response = super().request(method, url, **more)
        asked = answer.request if not answer.history else answer.history[0].request
        if "text/html" not in asked.headers.get("accept", ""):
            query = asked.url.query.decode()
            errors = documented(cast("FastAPI", self.app)).errors_of(method, asked.url.path, query, answer)
            assert not errors, f"{method} {asked.url.path}: {errors[:5]}"
            if answer.headers.get("content-type") == MEDIA_TYPE:
                assert answer.json()["code"] in _codes(), f"{answer.json()['code']} is not in the list of problems"
        return answer
