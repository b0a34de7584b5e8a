"""`tallywatt station notices`: what stations said on the side."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, say_json, say_table
from tallywatt.entrypoints.cli.traffic import station
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples

__all__ = ["station"]


def _notices(connection: Any, operator_id: str, page: Any, limit: int, identity: str | None) -> Any:
    return page(connection, "notices", operator_id, limit, None, station=identity)


@station.command(
    "notices",
    **examples(
        "tallywatt station notices", "tallywatt station notices CP-17 --limit 5", "tallywatt station notices --json"
    ),
)
def notices(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=200, help="So many.")] = 40,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show events, alarms and data transfers, newest first."""
    with at_desk(operator) as desk:
        rows = desk.ask(_notices, desk.views.page, limit, identity)["items"]
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("when", "occurred_at"),
        Column("station", "station"),
        Column("message", "message"),
        Column("about", "subject", folds=True),
        Column("kind", "kind"),
        Column("severity", "severity", right=True),
        Column("value", "value", folds=True),
    )
    say_table(columns, rows, empty="Nothing was said on the side yet.")
