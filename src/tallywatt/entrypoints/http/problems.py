"""Every error as problem details (RFC 9457): one place, one shape, stable codes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tallywatt.entrypoints.pages import language
from tallywatt.entrypoints.pages.problem_words import worded
from tallywatt.entrypoints.pages.render import page
from tallywatt.kernel.card_numbers import hide_card_numbers
from tallywatt.kernel.errors import (
    BadInput,
    Broken,
    Busy,
    ChangedMeanwhile,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TallywattError,
    TooMany,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_STATUS: Final[tuple[tuple[type[TallywattError], int], ...]] = (
    (BadInput, 400),
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (ChangedMeanwhile, 412),
    (TooMany, 429),
    (Busy, 503),
    (Broken, 500),
)


def status_of(error: TallywattError) -> int:
    """The HTTP status of an error: by its place in the tree of `kernel/errors.py`."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(status: int, code: str, detail: str, remedy: str | None = None, **more: Any) -> dict[str, Any]:
    """Problem details as data."""
    body: dict[str, Any] = {
        "type": f"/problems#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
    }
    body["detail"] = hide_card_numbers(detail)[0]
    if remedy is not None:
        body["remedy"] = remedy
    return body | more


def told(error: TallywattError) -> tuple[dict[str, Any], dict[str, str]]:
    """Problem details and headers of an error that was raised on purpose."""
    status = status_of(error)
    # What broke inside is told to the log; outside it is a code.
    detail = error.message if status != HTTPStatus.INTERNAL_SERVER_ERROR else "something broke; it was written down"
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, TooMany) else {}
    return problem(status, error.code, detail, error.remedy), headers


def install(app: FastAPI) -> None:
    """Answer every error of an app in this one way."""

    async def expected(request: Request, error: Exception) -> Response:
        assert isinstance(error, TallywattError), "registered for this tree alone"
        if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("http.broken", path=request.url.path, error=error.message, code=error.code)
        return answer(request, *told(error))

    async def unreadable(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError), "registered for it alone"
        places = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
        errors = [{"at": hide_card_numbers(at)[0], "problem": hide_card_numbers(said)[0]} for at, said in places]
        detail = "; ".join(f"{one['at']}: {one['problem']}" for one in errors[:3])
        return answer(request, problem(422, "request.unreadable", detail, errors=errors))

    async def other(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for it alone"
        code = {404: "not_found", 405: "request.method_not_allowed"}.get(error.status_code, "request.refused")
        return answer(request, problem(error.status_code, code, str(error.detail)), dict(error.headers or {}))

    async def gone(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the shape of a handler
        """Whoever asked has hung up in the middle of a sentence; nobody hears the answer, and nothing is broken."""
        return answer(request, problem(400, "request.unfinished", "the caller hung up in the middle", "send it again"))

    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("http.unforeseen", path=request.url.path, exc_info=error)
        return answer(request, problem(500, "broken", "something broke; it was written down"))

    app.add_exception_handler(TallywattError, expected)
    app.add_exception_handler(RequestValidationError, unreadable)
    app.add_exception_handler(HTTPException, other)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unforeseen)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, and not a program."""
    return "text/html" in request.headers.get("accept", "")


def answer(request: Request, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem as a program or a browser reads it."""
    status = int(body["status"])
    headers = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="tallywatt"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    if wants_page(request):
        told = worded(body["code"], body["detail"], body.get("remedy"), status)
        return HTMLResponse(page("problem.html", problem=body, told=told, path=request.url.path), status, headers)
    if language.language() != language.ENGLISH:
        body = in_the_readers_language(body)
        headers["Content-Language"] = language.language()
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def in_the_readers_language(body: dict[str, Any]) -> dict[str, Any]:
    """Problem details in other words for people; `detail_en` is the sentence that names the thing, as it was."""
    told = worded(body["code"], body["detail"], body.get("remedy"), int(body["status"]))
    said = {"detail": told["message"], "remedy": told["remedy"], "detail_en": body["detail"]}
    rest = {name: value for name, value in body.items() if name != "remedy"}
    return rest | {name: text for name, text in said.items() if text}
