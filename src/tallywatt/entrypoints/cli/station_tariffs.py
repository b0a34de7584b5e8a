"""`tallywatt station tariffs, offline`: what stations count by, and what they may do without a connection."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.limits import station
from tallywatt.entrypoints.cli.show import Column, say, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import StationId
from tallywatt.stations.offline import MOST_WH, Starts

__all__ = ["station"]


@station.command(
    "tariffs",
    **examples(
        "tallywatt station tariffs", "tallywatt station tariffs CP-17", "tallywatt station tariffs CP-17 --tell"
    ),
)
def tariffs(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    tell: Annotated[bool, typer.Option("--tell", help="Tell it again, also what it refused.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what stations of OCPP 2.1 count by, and if not, why."""
    from tallywatt.workflows.keep_tariff import KeepTariffs, ask_tariffs

    if tell and identity is None:
        msg = "it is not said which station is to be told"
        raise BadInput(msg, code="stations.not_named", remedy="name one station")
    with at_desk(operator) as desk:
        row = None if identity is None else _station(desk, identity)
        if tell and row is not None:
            desk.do(ask_tariffs, KeepTariffs(StationId(row["id"])))
        found = desk.ask(desk.views.station_tariffs)
    rows = [one for one in found if identity in {None, one["station"]}]
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("station", "station"),
        Column("evse", "evse_number", right=True),
        Column("stands", "state"),
        Column("tariff", "tariff"),
        Column("why", "reason", folds=True),
    )
    say_table(columns, rows, empty="No station was told what to count by.")


@station.command(
    "offline",
    **examples(
        "tallywatt station offline --all --starts known",
        "tallywatt station offline CP-17 --starts anybody --refused-wh 5000",
        "tallywatt station offline CP-18 --starts nobody",
    ),
)
def offline(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="Wherever nothing is said of a station.")] = False,
    starts: Annotated[Starts | None, typer.Option("--starts", help="Who may start offline.")] = None,
    refused: Annotated[
        int | None, typer.Option("--refused-wh", min=0, max=MOST_WH, help="Energy for a card refused later.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what stations may do offline; see the risk."""
    from tallywatt.workflows.set_offline import SetOffline, set_offline

    if (identity is None) != everywhere:
        msg = "it is not said for which stations"
        raise BadInput(msg, code="stations.not_named", remedy="name one station, or say --all")
    with at_desk(operator) as desk:
        row = None if identity is None else _station(desk, identity)
        command = SetOffline(None if row is None else StationId(row["id"]), starts, refused)
        told = desk.do(set_offline, command)
    if as_json:
        words = list(told["words"])
        say_json(
            {
                "station": identity,
                "starts": told["rule"]["starts"],
                "refused_wh": told["rule"]["refused_wh"],
                "words": words,
                "is_set": told["is_set"],
            }
        )
        return
    for one in told["words"]:
        say(one)
    if not told["is_set"]:
        say("It is not written to stations by us: allow that with `tallywatt station set-right`.")


def _station(desk: Desk, identity: str) -> dict[str, Any]:
    row: dict[str, Any] | None = desk.ask(desk.views.station, identity)
    if row is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    return row
