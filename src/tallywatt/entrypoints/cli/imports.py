"""`tallywatt import`: sessions from a file, each row accepted, repaired or refused with its reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.show import Column, Data, kwh_of, say, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.energy import wh
from tallywatt.kernel.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.workflows.bring_session import BringSession

importing = group("import", "Bring in what others have recorded.")

PLANNED = "planned"
AT_ONCE = 16


class UserIs(StrEnum):
    """What the user of a row is here."""

    TOKEN = "token"
    CUSTOMER = "customer"


@importing.command(
    "sessions",
    **examples(
        "tallywatt import sessions export.csv --dry-run",
        "tallywatt import sessions export.csv.gz --users customer",
        "tallywatt import sessions export.csv --json > report.json",
    ),
)
def sessions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV export, plain or gzip.")],
    users: Annotated[UserIs, typer.Option("--users", help="What the column of users names.")] = UserIs.TOKEN,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge the rows and bring nothing.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring in charging sessions from a CSV export.

    They are priced and billed like the others. Every row of the file is in the report: accepted, repaired or refused,
    and why. Importing a file again brings nothing twice. Ends with 1 when a row was refused.
    """
    from tallywatt.wiring import read_sessions

    with at_desk(operator) as desk:
        found = read_sessions(file)
        rows = [_judged(row) for row in found.rows]
        if not dry_run:
            commands = [
                None if row.session is None else _command(row.session, row.verdict.value, users) for row in found.rows
            ]
            for told, outcome in zip(rows, _bring_all(desk, commands), strict=True):
                told.update(outcome)
    report = {
        "file": str(file),
        "shape": found.shape,
        "dry_run": dry_run,
        "rows": len(rows),
        "accepted": _count(rows, "accepted"),
        "repaired": _count(rows, "repaired"),
        "refused": _count(rows, "refused"),
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
    session = row.session
    return {
        "line": row.line,
        "verdict": row.verdict.value,
        "code": row.code,
        "reasons": [{"code": one.code, "sentence": one.sentence} for one in row.findings],
        "upstream_id": None if session is None else session.upstream_id,
        "energy_wh": None if session is None else wh(session.milliwatt_hours),
        "session": None,
        "state": None if session is None else PLANNED,
    }


def _command(session: Any, verdict: str, users: UserIs) -> BringSession:
    from tallywatt.metering.session import Source
    from tallywatt.workflows.bring_session import BringSession

    return BringSession(
        source=Source.CSV,
        upstream_id=session.upstream_id,
        started_at=session.started_at,
        ended_at=session.ended_at,
        milliwatt_hours=session.milliwatt_hours,
        station=session.station,
        evse_number=session.connector,
        token_uid=session.user if users is UserIs.TOKEN else None,
        customer_reference=session.user if users is UserIs.CUSTOMER else None,
        flags=("repaired_by_import",) if verdict == "repaired" else (),
    )


def _bring_all(desk: Desk, commands: list[BringSession | None]) -> Iterator[Data]:
    """What became of each row's session, in the order of the rows. Several at once share a commit."""

    def bring(command: BringSession | None) -> Data:
        return {} if command is None else _bring(desk, command)

    # The first one opens what the others share.
    first = next((place for place, command in enumerate(commands, 1) if command is not None), len(commands))
    yield from map(bring, commands[:first])
    with ThreadPoolExecutor(AT_ONCE, "import") as pool:
        yield from pool.map(bring, commands[first:])


def _bring(desk: Desk, command: BringSession) -> Data:
    """What became of the row's session: a refusal by the platform is a refusal of the row."""
    from tallywatt.workflows.bring_session import bring_session

    try:
        row = desk.do(bring_session, command)
    except (BadInput, Conflict, NotFound) as error:
        reason = {"code": error.code, "sentence": error.message}
        return {"verdict": "refused", "code": error.code, "reasons": [reason], "state": None}
    return {"session": row["session_id"], "state": row["state"]}


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
    say(f"\n{report['rows']} rows: {counts}.{' Nothing was brought: a dry run.' if report['dry_run'] else ''}")
