"""`tallywatt station key`: the key that a station shows, replaced over its own line."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.local_lists import station
from tallywatt.entrypoints.cli.show import Column, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import StationId

__all__ = ["station"]


@station.command(
    "key",
    **examples(
        "tallywatt station key CP-17", "tallywatt station key CP-17 --replace", "tallywatt station key CP-17 --give-up"
    ),
)
def key(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Which station.")],
    replace: Annotated[bool, typer.Option("--replace", help="Draw a new one and send it.")] = False,
    give_up: Annotated[bool, typer.Option("--give-up", help="Let only the old one count.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Replace the key that a station shows, over its own line.

    The old one holds until the station has connected with the new one, which nobody ever sees.
    """
    from tallywatt.workflows.replace_key import ReplaceKey, give_key_up, replace_key

    if replace and give_up:
        msg = "a key is replaced, or the new one is given up"
        raise BadInput(msg, code="keys.both", remedy="say one of --replace and --give-up")
    with at_desk(operator) as desk:
        row = desk.ask(desk.views.station, identity)
        if row is None:
            msg = f"there is no station {identity!r}"
            raise NotFound(msg, code="stations.not_found")
        if replace:
            desk.do(replace_key, ReplaceKey(StationId(row["id"])))
        elif give_up:
            desk.do(give_key_up, ReplaceKey(StationId(row["id"])))
        found = desk.ask(desk.views.key_change, str(row["id"]))
    rows = [] if found is None else [found]
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("station", "station"),
        Column("stands", "state"),
        Column("asked", "requested_at"),
        Column("since", "changed_at"),
        Column("reason", "reason"),
    )
    say_table(columns, rows, empty="Its key was never replaced over its line.")
