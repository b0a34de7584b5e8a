"""Bulk uploads: a file is taken, followed, cancelled; what became of each of its rows is listed and fetched."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator
from starlette.requests import ClientDisconnect

from tallywatt.entrypoints.http.doors import Bringer, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import KEY_HEADER, write_once
from tallywatt.entrypoints.http.shapes import storable
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.entrypoints.http.uploads import MOST_BYTES, Upload, authorise_kind
from tallywatt.workflows.answer_once import AnswerOnce, answer_once
from tallywatt.workflows.imports import ImportKind, ImportState, RowOutcome, UserIs
from tallywatt.workflows.take_import import BeginImport, CancelImport, OpenImport, begin_import, cancel_import

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House
    from tallywatt.workflows.imports import Import

Name = Annotated[
    str, Query(max_length=200, description="What the file is called, for the list."), AfterValidator(storable)
]
router = APIRouter(tags=["imports"], route_class=Resource)

COLUMNS: Final = ("line", "outcome", "code", "message", "subject_kind", "subject_id")
PAGE: Final = 1000
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would compute; a report may repeat what a stranger wrote into a file."""
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file: CSV with a header, or a JSON object a line; plain or gzip.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/jsonl": {"schema": {"type": "string"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("/imports")
async def list_imports(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: ImportState | None = None,
    kind: ImportKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Bulk uploads, newest first."""
    return await listed(request, house, caller, "imports", limit, cursor, state=state, kind=kind)


@router.post("/imports", status_code=202, max_body_size=MOST_BYTES, openapi_extra=BODY)
async def post_import(
    request: Request,
    caller: Bringer,
    house: TheHouse,
    kind: ImportKind,
    name: Name = "",
    user_is: Annotated[
        UserIs, Query(description="What the column of users names in a network's export.")
    ] = UserIs.TOKEN,
    dry_run: Annotated[bool, Query(description="Try each row, undo it, and report what would come of it.")] = False,
) -> Response:
    """A file of rows, taken in the background; follow it at `Location`.

    Each row is what `POST /sessions`, `/customers`, `/tokens` or `/stations` takes: as a JSON object a line, or as CSV with
    those names as its header. Sessions may also come as the exports of networks that `tallywatt import` reads. `sessions`
    needs the scope `sessions`; the other kinds need `sell` as well.
    """
    authorise_kind(caller, kind)
    opened = OpenImport(house.new_id("import"), kind, name, user_is, dry_run)
    return await received(request, house, caller, opened, request.stream())


async def received(
    request: Request, house: House, caller: Caller, opened: OpenImport, chunks: AsyncIterator[bytes]
) -> Response:
    """Keep a file and begin with it; the same file under the same key is the import of the first time."""
    upload = Upload(house, caller, opened.import_id)
    begun = False
    try:
        await upload.receive(opened, chunks)
        choices = (opened.kind.value, opened.name, opened.user_is.value, str(opened.dry_run))
        fingerprint = upload.fingerprint(f"{request.method} {request.url.path}", *choices)
        once = AnswerOnce(
            actor_of(caller),
            request.headers.get(KEY_HEADER),
            fingerprint,
            begin_import,
            BeginImport(opened.import_id),
            _tell,
            202,
        )
        answer = await house.write(caller.operator_id, answer_once, once, actor=actor_of(caller))
        begun = not answer.replayed
    except ClientDisconnect:
        return Response(status_code=400)  # nobody hears it
    finally:
        if not begun:
            await house.drop_unfinished(caller.operator_id, opened.import_id)
    headers = {"Location": f"/imports/{answer.read()['id']}"}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, "application/json")


def _tell(row: Import) -> dict[str, Any]:
    shown = told(row, "import_id")
    return {name: shown[name] for name in ("id", "kind", "name", "user_is", "dry_run", "state", "bytes", "received_at")}


@router.get("/imports/{import_id}")
async def show_import(import_id: str, caller: Reader, house: TheHouse) -> Response:
    """One import: how far it has come, and what became of its rows in figures."""
    return as_json(await import_of(house, caller, import_id))


@router.get("/imports/{import_id}/rows")
async def list_rows(
    request: Request,
    import_id: str,
    caller: Reader,
    house: TheHouse,
    outcome: RowOutcome | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What became of each row, in the order of the file. It is kept for 90 days after the end of the import."""
    await import_of(house, caller, import_id)
    return await listed(request, house, caller, "import_rows", limit, cursor, upload=import_id, outcome=outcome)


@router.get("/imports/{import_id}/rows.csv")
async def fetch_rows(import_id: str, caller: Reader, house: TheHouse, outcome: RowOutcome | None = None) -> Response:
    """The same as a file for a spreadsheet."""
    await import_of(house, caller, import_id)
    narrowed = {"upload": import_id} | ({} if outcome is None else {"outcome": outcome.value})
    headers = {"Content-Disposition": f'attachment; filename="import-{import_id}.csv"'}
    return StreamingResponse(_written(house, caller.operator_id, narrowed), 200, headers, "text/csv")


async def _written(house: House, operator: str, narrowed: dict[str, str]) -> AsyncIterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    cursor: str | None = None
    while True:
        page = await house.ask(house.views.page, "import_rows", operator, PAGE, cursor, **narrowed)
        text = io.StringIO()
        csv.writer(text).writerows([_cell(row[name]) for name in COLUMNS] for row in page["items"])
        yield text.getvalue()
        cursor = page["next"]
        if cursor is None:
            return


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


@router.post("/imports/{import_id}/cancel", status_code=202)
async def cancel(request: Request, import_id: str, caller: Bringer, house: TheHouse) -> Response:
    """Take no further row. Those that were taken stay, and the report says which they are."""
    row = await import_of(house, caller, import_id)
    authorise_kind(caller, ImportKind(row["kind"]))
    return await write_once(request, house, caller, cancel_import, CancelImport(import_id), _tell, 202)


async def import_of(house: House, caller: Caller, import_id: str) -> dict[str, Any]:
    """An import as the view shows it, or NotFound."""
    row = await house.ask(house.views.import_of, caller.operator_id, import_id)
    return found(row, "import", "imports.not_found")
