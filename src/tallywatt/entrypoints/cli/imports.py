"""`tallywatt import`: rows from a file, each taken, there already, held or refused with its reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.show import Column, Data, kwh_of, say, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.energy import wh
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.workflows.imports import ImportKind, RowOutcome, UserIs

if TYPE_CHECKING:
    from collections.abc import Iterator

importing = group("import", "Bring in what others have recorded.")

PLANNED = "planned"
AT_ONCE = 16
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON lines, plain or gzip.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Judge the rows and bring nothing.")]


@importing.command(
    "sessions",
    **examples(
        "tallywatt import sessions export.csv --dry-run",
        "tallywatt import sessions export.csv.gz --users customer",
        "tallywatt import sessions export.csv --json > report.json",
    ),
)
def sessions(
    file: FileArgument,
    users: Annotated[UserIs, typer.Option("--users", help="What the column of users names.")] = UserIs.TOKEN,
    dry_run: DryRun = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring in charging sessions: an export, or rows of ours.

    They are priced and billed like the others. Every row of the file is in the report: accepted, repaired or refused,
    and why. Importing a file again brings nothing twice. Ends with 1 when a row was refused.
    """
    _bring_file(ImportKind.SESSIONS, file, operator, users, dry_run=dry_run, as_json=as_json)


@importing.command(
    "customers",
    **examples("tallywatt import customers members.csv", "tallywatt import customers members.jsonl --dry-run"),
)
def customers(
    file: FileArgument, dry_run: DryRun = False, operator: OperatorOption = None, as_json: JsonFlag = False
) -> None:
    """Add customers.

    Columns: reference, name, email, address, language. One that is there with the same data is left alone, with other
    data it is refused. Ends with 1 when a row was refused.
    """
    _bring_file(ImportKind.CUSTOMERS, file, operator, dry_run=dry_run, as_json=as_json)


@importing.command(
    "tokens", **examples("tallywatt import tokens cards.csv", "tallywatt import tokens cards.jsonl --json")
)
def tokens(
    file: FileArgument, dry_run: DryRun = False, operator: OperatorOption = None, as_json: JsonFlag = False
) -> None:
    """Add cards and tags.

    Columns: uid, customer, type, valid_until. One that is there and belongs to the same customer is left alone. Ends with
    1 when a row was refused.
    """
    _bring_file(ImportKind.TOKENS, file, operator, dry_run=dry_run, as_json=as_json)


@importing.command(
    "stations", **examples("tallywatt import stations posts.csv", "tallywatt import stations posts.csv --dry-run")
)
def stations(
    file: FileArgument, dry_run: DryRun = False, operator: OperatorOption = None, as_json: JsonFlag = False
) -> None:
    """Add stations.

    Columns: identity, location, key, evses, current, max_watts. One that knocks is adopted; one that is there as it is
    told is left alone. Ends with 1 when a row was refused.
    """
    _bring_file(ImportKind.STATIONS, file, operator, dry_run=dry_run, as_json=as_json)


def _bring_file(
    kind: ImportKind,
    file: Path,
    operator: str | None,
    users: UserIs = UserIs.TOKEN,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from tallywatt.wiring import read_file

    with at_desk(operator) as desk:
        found = read_file(desk.settings, kind, file, users)
        rows = [_judged(row) for row in found.rows]
        if not dry_run:
            commands = [row.command for row in found.rows]
            for told, outcome in zip(rows, _bring_all(desk, kind, commands), strict=True):
                told.update(outcome)
    report = {
        "file": str(file),
        "kind": kind.value,
        "shape": found.shape,
        "dry_run": dry_run,
        "rows": len(rows),
        "accepted": _count(rows, "accepted"),
        "repaired": _count(rows, "repaired"),
        "refused": _count(rows, "refused"),
        "outcomes": {one.value: sum(1 for row in rows if row["outcome"] == one.value) for one in RowOutcome},
        "report": rows,
    }
    if as_json:
        say_json(report)
    else:
        _say(report)
    if report["refused"]:
        raise typer.Exit(FINDING)


def _judged(row: Any) -> Data:
    """What the reader of the file says about a row."""
    command = row.command
    energy = getattr(command, "milliwatt_hours", None)
    return {
        "line": row.line,
        "verdict": row.verdict,
        "code": row.code or "ok",
        "reasons": [{"code": one.code, "sentence": one.sentence} for one in row.findings],
        "upstream_id": getattr(command, "upstream_id", None),
        "energy_wh": None if energy is None else wh(energy),
        "session": None,
        "state": None if command is None else PLANNED,
        "outcome": RowOutcome.REFUSED.value if command is None else None,
        "subject_kind": None,
        "subject_id": None,
    }


def _bring_all(desk: Desk, kind: ImportKind, commands: list[Any]) -> Iterator[Data]:
    """What became of each row, in the order of the rows. Several at once share a commit."""

    def bring(command: Any) -> Data:
        return {} if command is None else _bring(desk, kind, command)

    # The first one opens what the others share.
    first = next((place for place, command in enumerate(commands, 1) if command is not None), len(commands))
    yield from map(bring, commands[:first])
    with ThreadPoolExecutor(AT_ONCE, "import") as pool:
        yield from pool.map(bring, commands[first:])


def _bring(desk: Desk, kind: ImportKind, command: Any) -> Data:
    """What became of a row: a refusal by the platform is a refusal of the row."""
    from tallywatt.workflows.import_rows import TAKE

    try:
        came = desk.do(TAKE[kind], command)
    except (BadInput, Conflict, NotFound) as error:
        reason = {"code": error.code, "sentence": error.message}
        refused = {"verdict": "refused", "code": error.code, "reasons": [reason], "state": None}
        return {**refused, "outcome": RowOutcome.REFUSED.value}
    session = came["subject_id"] if came["subject_kind"] == "session" else None
    told = {name: came[name] for name in ("outcome", "subject_kind", "subject_id")}
    return {"session": session, "state": came["state"], **told}


def _count(rows: list[Data], verdict: str) -> int:
    return sum(1 for row in rows if row["verdict"] == verdict)


def _say(report: Data) -> None:
    remarkable = [row for row in report["report"] if row["verdict"] != "accepted"]
    shown = [
        {
            "line": row["line"],
            "verdict": row["verdict"],
            "energy": kwh_of(row["energy_wh"]),
            "why": " ".join(reason["sentence"] for reason in row["reasons"]),
        }
        for row in remarkable
    ]
    columns = (Column("line", "line", right=True), Column("verdict", "verdict"))
    more = (Column("energy", "energy", right=True), Column("why", "why", folds=True))
    say_table((*columns, *more), shown, empty="Every row is as it should be.")
    counts = f"{report['accepted']} accepted, {report['repaired']} repaired, {report['refused']} refused"
    came = report["outcomes"]
    there = f", {came['already_there']} there already" if came["already_there"] else ""
    held = f", {came['held']} held" if came["held"] else ""
    planned = " Nothing was brought: a dry run." if report["dry_run"] else ""
    say(f"\n{report['rows']} rows: {counts}{there}{held}.{planned}")
