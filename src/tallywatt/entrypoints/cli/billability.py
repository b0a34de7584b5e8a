"""`tallywatt station billable, set-right`: whether a station's sessions can be billed, and who may change that."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.certificates import station
from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.show import Column, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import StationId

LOOK_SECONDS = 0.25
STANDS = {True: "yes", False: "no", None: "not known yet"}

__all__ = ["station"]


@station.command(
    "billable",
    **examples(
        "tallywatt station billable",
        "tallywatt station billable CP-17 --ask --wait 30",
        "tallywatt station billable CP-17 --json",
    ),
)
def billable(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station, with what is missing.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the station first.")] = False,
    wait: Annotated[int, typer.Option("--wait", metavar="SECONDS", min=0, max=600, help="For its answer.")] = 30,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say whether sessions can be billed, and what is missing."""
    with at_desk(operator) as desk:
        if identity is None:
            _say_all(desk, as_json=as_json)
            return
        told = _told(desk, identity)
        if ask:
            told = _asked(desk, identity, wait)
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("station", told["station"]),
            ("billable", STANDS[told["billable"]]),
            ("answered", told["answered_at"] or "never"),
            ("values are set by us", "yes" if told["sets_values"] else "no"),
        ]
    )
    columns = (
        Column("what", "what"),
        Column("is", "told"),
        Column("value", "value", folds=True),
        Column("wanted", "wanted", folds=True),
        Column("needed", "is_needed"),
    )
    say_table(columns, [{**one, "what": one["place"] or one["code"]} for one in told["items"]], empty="")
    for one in told["items"]:
        if one["is_off"]:
            say(f"{one['place'] or one['code']}: {one['why']}")


@station.command(
    "set-right",
    **examples(
        "tallywatt station set-right CP-17",
        "tallywatt station set-right --all",
        "tallywatt station set-right CP-17 --no",
    ),
)
def set_right(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="Wherever nothing is said of a station.")] = False,
    allow: Annotated[bool, typer.Option("--yes/--no", help="Whether values may be written.")] = True,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let values that stand in the way be written, or not."""
    from tallywatt.workflows.check_station import AllowSetting, allow_setting

    if (identity is None) != everywhere:
        msg = "it is not said for which stations"
        raise BadInput(msg, code="stations.not_named", remedy="name one station, or say --all")
    with at_desk(operator) as desk:
        station_id = None if identity is None else _id(desk, identity)
        desk.do(allow_setting, AllowSetting(station_id, allow))
    told = {"station": identity, "sets_values": allow}
    if as_json:
        say_json(told)
    else:
        say(f"Values of {identity or 'all stations'} are {'set right by us' if allow else 'left as they are'}.")


def _say_all(desk: Desk, *, as_json: bool) -> None:
    found = desk.ask(desk.views.commissioning)["items"]
    if as_json:
        say_json(found)
        return
    rows = [
        {
            "station": one["station"],
            "billable": STANDS[one["billable"]],
            "missing": ", ".join(item["code"] for item in one["items"] if item["is_off"]),
        }
        for one in found
    ]
    columns = (Column("station", "station"), Column("billable", "billable"), Column("is off", "missing", folds=True))
    say_table(columns, rows, empty="No station yet.")


def _told(desk: Desk, identity: str) -> dict[str, Any]:
    told: dict[str, Any] | None = desk.ask(desk.views.billable, identity)
    if told is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    return told


def _id(desk: Desk, identity: str) -> StationId:
    row = desk.ask(desk.views.station, identity)
    if row is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    return StationId(row["id"])


def _asked(desk: Desk, identity: str, wait: int) -> dict[str, Any]:
    from tallywatt.workflows.check_station import AskCheck, ask_check

    desk.do(ask_check, AskCheck(_id(desk, identity)))
    until = time.monotonic() + wait
    while True:
        told = _told(desk, identity)
        answered = told["answered_at"] is not None and told["answered_at"] >= told["asked_at"]
        if answered or time.monotonic() >= until:
            return told
        time.sleep(LOOK_SECONDS)
