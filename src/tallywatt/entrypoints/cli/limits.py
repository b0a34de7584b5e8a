"""`tallywatt station display`, `tallywatt session limit`: prices on displays of stations, and limits of sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.billability import station
from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.sessions import session
from tallywatt.entrypoints.cli.show import say, say_json
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, minor_units
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import SessionId, StationId
from tallywatt.stations.display import MOST_SECONDS, Shows

__all__ = ["session", "station"]


@station.command(
    "display",
    **examples(
        "tallywatt station display CP-17 --shows always",
        "tallywatt station display --all --every 30",
        "tallywatt station display CP-18 --shows never",
        "tallywatt station display CP-19 --tolerance 5",
    ),
)
def display(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="Wherever nothing is said of a station.")] = False,
    shows: Annotated[Shows | None, typer.Option("--shows", help="Whether it is told prices.")] = None,
    every: Annotated[
        int | None, typer.Option("--every", metavar="SECONDS", min=1, max=MOST_SECONDS, help="At most so often.")
    ] = None,
    tolerance: Annotated[
        int | None,
        typer.Option(
            "--tolerance", metavar="MINOR", parser=minor_units, help="Minor units by which its own sum may differ."
        ),
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell a display what a session costs, or not."""
    from tallywatt.workflows.show_price import SetDisplay, set_display

    if (identity is None) != everywhere:
        msg = "it is not said for which stations"
        raise BadInput(msg, code="stations.not_named", remedy="name one station, or say --all")
    with at_desk(operator) as desk:
        row = None if identity is None else desk.ask(desk.views.station, identity)
        if identity is not None and row is None:
            msg = f"there is no station {identity!r}"
            raise NotFound(msg, code="stations.not_found")
        command = SetDisplay(None if row is None else StationId(row["id"]), shows, every, tolerance)
        rule = desk.do(set_display, command)
    if as_json:
        say_json({"station": identity, "shows": rule["shows"], "every_seconds": rule["every_seconds"]})
    else:
        whose = identity or "all stations"
        say(f"Prices on displays of {whose}: {rule['shows']}, every {rule['every_seconds']} s at most.")


@session.command(
    "limit",
    **examples(
        "tallywatt session limit 019b2c3d-1111-7222-8333-944445555666 --minor 2000",
        "tallywatt session limit 019b2c3d-1111-7222-8333-944445555666 --wh 20000 \\",
        "    --seconds 7200",
        "tallywatt session limit 019b2c3d-1111-7222-8333-944445555666 --none",
    ),
)
def limit(
    session_id: Annotated[str, typer.Argument(metavar="ID", help="A session that runs.")],
    minor: Annotated[
        int | None, typer.Option("--minor", metavar="MINOR", parser=minor_units, help="Money: minor units, with tax.")
    ] = None,
    watt_hours: Annotated[int | None, typer.Option("--wh", min=1, help="Energy.")] = None,
    seconds: Annotated[int | None, typer.Option("--seconds", min=1, help="Time since its start.")] = None,
    percent: Annotated[
        int | None, typer.Option("--percent", min=1, max=100, help="Charge of the battery: OCPP 2.1 alone.")
    ] = None,
    lifted: Annotated[bool, typer.Option("--none", help="Lift what was chosen.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Set the most of a session: what is reached first ends it."""
    from tallywatt.workflows.keep_limit import SetLimit, set_limit

    energy = None if watt_hours is None else watt_hours * 1000
    told = {"gross_minor": minor, "milliwatt_hours": energy, "seconds": seconds, "percent": percent}
    limits = {name: value for name, value in told.items() if value is not None}
    if bool(limits) is lifted:
        msg = "it is not said what the limit is"
        raise BadInput(msg, code="sessions.bad_limit", remedy="say one or more limits, or --none")
    with at_desk(operator) as desk:
        desk.do(set_limit, SetLimit(SessionId(session_id), limits))
    if as_json:
        say_json({"session": session_id, "limits": limits})
    else:
        say(f"Session {session_id} is limited." if limits else f"Session {session_id} has no limit any more.")
