"""`tallywatt station power, limit, texts, text`: limits of a station's power, texts on its display: seen, set, cleared."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.orders import WaitOption, give, station_named, version_of
from tallywatt.entrypoints.cli.show import Column, clock_of, say_json, say_table
from tallywatt.entrypoints.cli.station_tariffs import station
from tallywatt.entrypoints.cli.stations import IdentityArgument
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput
from tallywatt.stations import charging
from tallywatt.stations import messages_shown as display
from tallywatt.stations.charging import LONGEST_MINUTES, Unit
from tallywatt.stations.command import Action
from tallywatt.stations.messages_shown import LARGEST_NUMBER

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.show import Data

__all__ = ["station"]

DAY = 24 * 60
"""Minutes for which a station is asked what its limits come to."""
EvseNumberOption = Annotated[
    int | None, typer.Option("--evse", metavar="NUMBER", min=1, help="One EVSE; else the station as a whole.")
]


class Priority(StrEnum):
    """How much a text is in front of what a display shows by itself."""

    NORMAL = "NormalCycle"
    IN_FRONT = "InFront"
    ALWAYS = "AlwaysFront"


class While(StrEnum):
    """In which state of the station it is shown."""

    ALWAYS = ""
    IDLE = "Idle"
    CHARGING = "Charging"
    FAULTED = "Faulted"
    UNAVAILABLE = "Unavailable"


@station.command(
    "power",
    **examples(
        "tallywatt station power CP-17",
        "tallywatt station power CP-17 --json",
        "tallywatt station power CP-17 --ask --evse 1 --wait 30",
        "tallywatt station power CP-18 --ask-profiles --wait 30",
    ),
)
def power(
    identity: IdentityArgument,
    ask: Annotated[bool, typer.Option("--ask", help="Ask it what they come to in the next 24 hours.")] = False,
    profiles: Annotated[
        bool, typer.Option("--ask-profiles", help="Ask for the profiles themselves: OCPP 2.x.")
    ] = False,
    evse: EvseNumberOption = None,
    unit: Annotated[Unit, typer.Option("--unit", help="Of the answer.")] = Unit.KW,
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the limits of power that a station has."""
    _one_of((ask, "--ask"), (profiles, "--ask-profiles"))
    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        if ask or profiles:
            place = _evse(row, evse) or 0
            asked = charging.asking_schedule(version_of(row), place, DAY, unit)
            _tell(desk, row, charging.asking_profiles() if profiles else asked, wait, as_json=as_json)
            return
        found = desk.ask(desk.views.limits_of, row["id"], _now())
        zone = desk.operator.zone
    if as_json:
        say_json({"station": identity, **found})
        return
    columns = (
        Column("number", "number", right=True),
        Column("evse", "evse", right=True),
        Column("purpose", "purpose"),
        Column("limit", "limit", right=True),
        Column("unit", "unit"),
        Column("until", "until"),
        Column("set by", "source"),
    )
    rows = [one | {"until": clock_of(one["until"], zone), "source": one["source"] or "us"} for one in found["profiles"]]
    say_table(columns, rows, empty="No limit is known of.")


@station.command(
    "limit",
    **examples(
        "tallywatt station limit CP-17 11 --minutes 120",
        "tallywatt station limit CP-17 16 --unit A --evse 1 --wait 30",
        "tallywatt station limit CP-17 --clear 8501",
        "tallywatt station limit CP-17 --clear-all",
    ),
)
def limit(
    identity: IdentityArgument,
    amount: Annotated[str | None, typer.Argument(metavar="AMOUNT", help="No more than this, from now on.")] = None,
    unit: Annotated[Unit, typer.Option("--unit", help="Kilowatts, or amperes of each phase.")] = Unit.KW,
    evse: EvseNumberOption = None,
    minutes: Annotated[
        int | None, typer.Option("--minutes", min=1, max=LONGEST_MINUTES, help="How long; else until it is cleared.")
    ] = None,
    clear: Annotated[
        int | None, typer.Option("--clear", metavar="NUMBER", min=0, max=LARGEST_NUMBER, help="Clear that profile.")
    ] = None,
    clear_all: Annotated[bool, typer.Option("--clear-all", help="Clear all of them.")] = False,
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Limit a station's power, or clear a limit."""
    chosen = _one_of((amount is not None, "AMOUNT"), (clear is not None, "--clear"), (clear_all, "--clear-all"))
    if chosen is None:
        msg = "it is not said what the limit is"
        raise BadInput(msg, code="charging.bad_limit", remedy="name an amount, --clear NUMBER or --clear-all")
    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        if amount is None:
            message = charging.clearing(version_of(row), clear)
        else:
            wanted = charging.Limit(_evse(row, evse), _amount(amount), unit, _now(), minutes)
            message = charging.limiting(version_of(row), wanted)
        _tell(desk, row, message, wait, as_json=as_json)


@station.command(
    "texts",
    **examples("tallywatt station texts CP-18", "tallywatt station texts CP-18 --ask --wait 30"),
)
def texts(
    identity: IdentityArgument,
    ask: Annotated[bool, typer.Option("--ask", help="Ask it which there are.")] = False,
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the texts that a station's display has."""
    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        if ask:
            _tell(desk, row, display.asking(), wait, as_json=as_json)
            return
        found = desk.ask(desk.views.texts_of, row["id"], _now())
        zone = desk.operator.zone
    if as_json:
        say_json({"station": identity, **found})
        return
    columns = (
        Column("number", "number", right=True),
        Column("text", "text", folds=True),
        Column("priority", "priority"),
        Column("while", "state"),
        Column("from", "begins"),
        Column("until", "ends"),
    )
    rows = [one | {name: clock_of(one[name], zone) for name in ("begins", "ends")} for one in found["texts"]]
    say_table(columns, rows, empty="No text is known of.")


@station.command(
    "text",
    **examples(
        "tallywatt station text CP-18 7 'Closed on Sunday' \\",
        "    --until 2026-03-09T00:00:00Z",
        "tallywatt station text CP-18 7 'Free for members' --while Idle",
        "tallywatt station text CP-18 7 --clear",
    ),
)
def text(
    identity: IdentityArgument,
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", min=0, max=LARGEST_NUMBER, help="One of the same number gives way.")
    ],
    words: Annotated[str | None, typer.Argument(metavar="TEXT", help="What is to be shown.")] = None,
    priority: Annotated[Priority, typer.Option("--priority", help="How much it is in front.")] = Priority.NORMAL,
    state: Annotated[While, typer.Option("--while", help="In which state of the station.")] = While.ALWAYS,
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Of the text, as in BCP 47.")] = "",
    begins: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From when, RFC 3339.")] = None,
    ends: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Until when, RFC 3339.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take it away.")] = False,
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a text on a station's display, or take it away."""
    if _one_of((words is not None, "TEXT"), (clear, "--clear")) is None:
        msg = "it is not said what is to be shown"
        raise BadInput(msg, code="displays.bad_text", remedy="write a text, or --clear")
    shown = display.Text(
        number,
        words or "",
        priority.value,
        state.value,
        language,
        None if begins is None else parse_instant(begins),
        None if ends is None else parse_instant(ends),
    )
    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        message = display.clearing(number) if clear else display.showing(version_of(row), shown)
        _tell(desk, row, message, wait, as_json=as_json)


def _one_of(*named: tuple[bool, str]) -> str | None:
    """Which one of several was said; BadInput for two of them."""
    said = [name for is_said, name in named if is_said]
    if len(said) > 1:
        msg = f"{said[0]} and {said[1]} are two wishes"
        raise BadInput(msg, code="stations.two_wishes", remedy="say one of them")
    return said[0] if said else None


def _tell(desk: Desk, row: Data, message: tuple[str, dict[str, Any]], wait: int, *, as_json: bool) -> None:
    from tallywatt.wiring import check_message
    from tallywatt.workflows.command_station import CommandStation

    name, content = message
    check_message(version_of(row), name, content)
    give(desk, CommandStation(row["id"], Action.MESSAGE, {"name": name, "content": content}), wait, as_json=as_json)


def _evse(row: Data, number: int | None) -> int | None:
    if number is not None and number not in {one["number"] for one in row["evses"]}:
        msg = f"station {row['identity']} has no EVSE {number}"
        raise BadInput(msg, code="stations.no_such_evse")
    return number


def _amount(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        msg = f"{text!r} is no amount"
        raise BadInput(msg, code="charging.bad_limit", remedy="like 11, or 7.4")
    return found


def _now() -> Any:
    from tallywatt.wiring import machine_now

    return machine_now()
