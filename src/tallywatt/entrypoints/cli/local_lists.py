"""`tallywatt station local-list`: the tokens that stations know by heart."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.notices import station
from tallywatt.entrypoints.cli.show import Column, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import StationId

__all__ = ["station"]


class Sending(StrEnum):
    """How much of a list is sent."""

    CHANGES = "changes"
    WHOLE = "whole"


@station.command(
    "local-list",
    **examples(
        "tallywatt station local-list",
        "tallywatt station local-list CP-17 --on",
        "tallywatt station local-list --all --off",
        "tallywatt station local-list CP-17 --send whole",
    ),
)
def local_list(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="Wherever nothing is said of a station.")] = False,
    switch: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is kept in step.")] = None,
    send: Annotated[Sending | None, typer.Option("--send", help="Send it now: what changed, or all.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep the tokens in step that stations know by heart.

    Off until it is switched on. Cards of your customers go to the station, so that it starts and refuses without a line.
    """
    from tallywatt.workflows.keep_local_list import SwitchLists, SyncList, send_changes, send_list_anew, switch_lists

    if switch is not None and (identity is None) != everywhere:
        msg = "it is not said for which stations"
        raise BadInput(msg, code="stations.not_named", remedy="name one station, or say --all")
    if send is not None and identity is None:
        msg = "it is not said which station's list is sent"
        raise BadInput(msg, code="stations.not_named", remedy="name one station")
    with at_desk(operator) as desk:
        row = None if identity is None else desk.ask(desk.views.station, identity)
        if identity is not None and row is None:
            msg = f"there is no station {identity!r}"
            raise NotFound(msg, code="stations.not_found")
        if switch is not None:
            desk.do(switch_lists, SwitchLists(None if row is None else StationId(row["id"]), switch))
        if send is not None and row is not None:
            desk.do(send_list_anew if send is Sending.WHOLE else send_changes, SyncList(StationId(row["id"])))
        found = desk.ask(desk.views.local_lists)["items"]
    rows = [one for one in found if identity in {None, one["station"]}]
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("station", "station"),
        Column("kept", "is_on"),
        Column("stands", "state"),
        Column("tokens", "entries", right=True),
        Column("version", "number", right=True),
        Column("there", "told_number", right=True),
    )
    say_table(columns, rows, empty="No station yet.")
