"""Bulk uploads on the console: a form that sends a file, how far it has come, what became of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from tallywatt.customers.access import Scope
from tallywatt.entrypoints.http.api.imports import import_of, received
from tallywatt.entrypoints.http.console.shown import PAGE, done, given_fields, shown
from tallywatt.entrypoints.http.doors import Bringer, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import Cursor, cursor_of, place_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.http.uploads import MOST_BYTES, SELLS, authorise_kind
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.workflows.imports import ImportKind, ImportState, RowOutcome, UserIs
from tallywatt.workflows.take_import import CancelImport, OpenImport, cancel_import

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()

AT = "/console/imports"
FORM_BYTES = 65_536
"""What a form says besides its file."""
CHUNK = 65_536


@router.get(AT)
async def list_imports(request: Request, caller: Reader, house: TheHouse, cursor: Cursor = None) -> Response:
    """Uploads, newest first, and a form for the next one."""
    return await _list(request, house, caller, cursor=cursor)


@router.post(AT, max_body_size=MOST_BYTES + FORM_BYTES)
async def upload(request: Request, caller: Bringer, house: TheHouse) -> Response:
    """Take a file, and show how it goes on."""
    form = await request.form()
    given = await given_fields(request)
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            msg = "no file was chosen"
            raise BadInput(msg, code="imports.no_file", remedy="choose a file, then send it")
        opened = OpenImport(house.new_id("import"), *_choices(given, file.filename))
        authorise_kind(caller, opened.kind)
        answer = await received(request, house, caller, opened, _chunks(file))
    except TallywattError as problem:
        return await _list(request, house, caller, problem, given)
    return done(f"/console{answer.headers['location']}", "uploaded")


def _choices(given: dict[str, str], filename: str) -> tuple[ImportKind, str, UserIs, bool]:
    try:
        kind, user_is = ImportKind(given.get("kind", "")), UserIs(given.get("user_is", "token"))
    except ValueError as error:
        msg = "the form names a kind of rows that there is not"
        raise BadInput(msg, code="imports.bad_kind") from error
    name = "".join(one for one in filename if one.isprintable())[-200:]
    return kind, name, user_is, given.get("dry_run") == "yes"


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK):
        yield chunk


@router.get(AT + "/{import_id}")
async def show_import(
    request: Request,
    import_id: str,
    caller: Reader,
    house: TheHouse,
    outcome: RowOutcome | None = None,
    cursor: Cursor = None,
) -> Response:
    """One upload: progress, figures, and what became of its rows."""
    return await _one(request, house, caller, import_id, outcome=outcome, cursor=cursor)


@router.post(AT + "/{import_id}/cancel")
async def cancel(request: Request, import_id: str, caller: Bringer, house: TheHouse) -> Response:
    """Take no further row."""
    row = await import_of(house, caller, import_id)
    authorise_kind(caller, ImportKind(row["kind"]))
    try:
        await house.write(caller.operator_id, cancel_import, CancelImport(import_id), actor=actor_of(caller))
    except TallywattError as problem:
        return await _one(request, house, caller, import_id, problem)
    return done(f"{AT}/{import_id}", "cancelled")


async def _list(
    request: Request,
    house: House,
    caller: Caller,
    problem: TallywattError | None = None,
    given: dict[str, str] | None = None,
    cursor: str | None = None,
) -> Response:
    page = await house.ask(house.views.page, "imports", caller.operator_id, PAGE, place_of(cursor))
    kinds = [kind.value for kind in ImportKind if kind not in SELLS or caller.has(Scope.SELL)]
    return await shown(
        request, house, caller, "imports.html", "imports", status_of(problem) if problem else 200,
        rows=page["items"], next=_next(page), kinds=kinds, given=given or {}, problem=problem,
        most_mib=MOST_BYTES // 1024 // 1024,
    )  # fmt: skip


async def _one(
    request: Request,
    house: House,
    caller: Caller,
    import_id: str,
    problem: TallywattError | None = None,
    outcome: RowOutcome | None = None,
    cursor: str | None = None,
) -> Response:
    row = await import_of(house, caller, import_id)
    narrowed = {"upload": import_id} | ({} if outcome is None else {"outcome": outcome.value})
    page = await house.ask(house.views.page, "import_rows", caller.operator_id, PAGE, place_of(cursor), **narrowed)
    may_stop = caller.has(Scope.SESSIONS) and (ImportKind(row["kind"]) not in SELLS or caller.has(Scope.SELL))
    return await shown(
        request, house, caller, "import.html", "imports", status_of(problem) if problem else 200,
        row=row, rows=page["items"], next=_next(page), outcome=None if outcome is None else outcome.value,
        counts=_counts(row), may_stop=may_stop, problem=problem,
    )  # fmt: skip


def _counts(row: dict[str, Any]) -> dict[str, int]:
    """How many rows came to what; those without an outcome wait, or were not taken any more."""
    left = (row["rows"] or 0) - row["done"]
    counts = {one.value: row[one.value] for one in RowOutcome if one.value in row}
    return counts | {"cancelled" if row["state"] == ImportState.CANCELLED.value else "waiting": left}


def _next(page: dict[str, Any]) -> str | None:
    return None if page["next"] is None else cursor_of(page["next"])
