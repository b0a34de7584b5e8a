"""`tallywatt station log`: what a station said and heard."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.show import say, say_json
from tallywatt.entrypoints.cli.station_power import station
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import NotFound

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.show import Data

__all__ = ["station"]

ARROWS = {"in": "->", "out": "<-"}


class Way(StrEnum):
    """Who said it."""

    IN = "in"
    OUT = "out"


@station.command(
    "log",
    **examples(
        "tallywatt station log CP-17",
        "tallywatt station log CP-17 --action StatusNotification --way in --limit 5",
        "tallywatt station log CP-17 --session $SESSION --json",
        "tallywatt station log CP-17 --since 2026-11-20T08:00:00Z",
    ),
)
def log(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The station.")],
    action: Annotated[str | None, typer.Option("--action", metavar="NAME", help="Messages of that name.")] = None,
    way: Annotated[Way | None, typer.Option("--way", help="in: what the station said.")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="ID", help="Of one session.")] = None,
    words: Annotated[str | None, typer.Option("--text", metavar="WORDS", help="Messages with these words.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on, RFC 3339.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="So many.")] = 40,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what a station said and heard, newest first.

    Cards, keys and passwords are hidden. A server that runs writes messages down half a minute later at most.
    """
    asked = {
        "action": action, "direction": None if way is None else way.value, "session": session, "text": words,
        "since": None if since is None else parse_instant(since),
        "until": None if until is None else parse_instant(until),
    }  # fmt: skip
    with at_desk(operator) as desk:
        rows = _rows(desk, identity, limit, asked)
    if as_json:
        say_json(rows)
        return
    for one in rows:
        say(f"{one['at']} {ARROWS[one['direction']]} {one['action']} {one['kind']}\n    {one['text']}")
    if not rows:
        say("No such message is in the log.")


def _rows(desk: Desk, identity: str, limit: int, asked: dict[str, Any]) -> list[Data]:
    from tallywatt.wiring import keyring_of

    row = desk.ask(desk.views.station, identity)
    if row is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    vault = keyring_of(desk.settings).vault()
    found: list[Data] = []
    cursor = None
    while len(found) < limit:
        most = min(limit - len(found), 200)
        told = desk.ask(desk.views.traffic, vault, station_id=row["id"], most=most, cursor=cursor, **asked)
        found += told["items"]
        cursor = told["next"]
        if cursor is None:
            break
    return found
