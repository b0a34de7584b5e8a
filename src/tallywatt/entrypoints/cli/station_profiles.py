"""`tallywatt station profile`: a station is moved to a higher security profile over its own line."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.local_lists import station
from tallywatt.entrypoints.cli.show import Column, clock_of, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import StationId

__all__ = ["station"]


@station.command(
    "profile",
    **examples(
        "tallywatt station profile CP-17",
        "tallywatt station profile CP-17 --move 2 \\",
        "    --url wss://csms.example.org:9001/ocpp/dundee",
        "tallywatt station profile CP-17 --give-up",
    ),
)
def profile(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Which station.")],
    move: Annotated[int | None, typer.Option("--move", min=2, max=3, help="To this security profile.")] = None,
    url: Annotated[str | None, typer.Option("--url", help="Where it connects then (OCPP 2.x).")] = None,
    slot: Annotated[int | None, typer.Option("--slot", min=1, max=100, help="Which of its connections.")] = None,
    interface: Annotated[str | None, typer.Option("--interface", help="Wired0, Wireless0, ...")] = None,
    give_up: Annotated[bool, typer.Option("--give-up", help="Tell it nothing more.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Move a station to a higher security profile, and follow it.

    Until it has come with the new one, the old one opens the door; from then on no lower one does.
    """
    from tallywatt.workflows.move_profile import MoveProfile, WatchProfile, give_profile_up, move_profile

    if move is not None and give_up:
        msg = "a station is moved, or its move is given up"
        raise BadInput(msg, code="profiles.both", remedy="say one of --move and --give-up")
    with at_desk(operator) as desk:
        row = desk.ask(desk.views.station, identity)
        if row is None:
            msg = f"there is no station {identity!r}"
            raise NotFound(msg, code="stations.not_found")
        of = StationId(row["id"])
        if move is not None:
            desk.do(move_profile, MoveProfile(of, move, url, slot, interface))
        elif give_up:
            desk.do(give_profile_up, WatchProfile(of))
        found = desk.ask(desk.views.profile_change, str(row["id"]))
        zone = desk.operator.zone
    rows = [] if found is None else [found]
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("station", "station"),
        Column("to profile", "wanted", right=True),
        Column("stands", "state"),
        Column("since", "since"),
        Column("came with", "shown", right=True),
        Column("least", "least_profile", right=True),
        Column("reason", "reason", folds=True),
    )
    shown = [one | {"since": clock_of(one["changed_at"], zone)} for one in rows]
    say_table(columns, shown, empty="It was never moved to another profile.")
