"""What the command line says: one line of JSON for programs, calm tables for people."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.kernel.clock import Instant, moment, parse_instant, rfc3339, zone
from tallywatt.kernel.money import Money, currency

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

WIDEST = 320
"""Of what goes into a file or a pipe."""
Data = dict[str, Any]


def say_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def say(text: str = "") -> None:
    """A line for people on standard output."""
    sys.stdout.write(text + "\n")


def console(*, error: bool = False) -> Console:
    """Rich, without colours of its own choice."""
    from rich.console import Console

    return Console(highlight=False, stderr=error, soft_wrap=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, the key of a row, and how the value is written."""

    title: str
    key: str
    right: bool = False
    folds: bool = False
    """Whether a long value may go on in a second line; the others are cut only where a terminal is too narrow."""


def say_table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, empty: str) -> None:
    """Rows under headings, no lines around them; `empty` is said when there are none."""
    from rich.table import Table
    from rich.text import Text

    # An id is there to be copied: for its sake the others go on in a second line.
    has_id = any(column.key == "id" for column in columns)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for column in columns:
        goes_on = column.folds or (has_id and column.key != "id")
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not goes_on,
            overflow="fold" if goes_on else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(plain(row.get(column.key))) for column in columns))
    if not table.row_count:
        say(empty)
        return
    shown = console()
    if shown.is_terminal:
        shown.print(table)
        return
    # A file or a pipe has no width: nothing is cut for its sake, and no line ends in blanks.
    shown.width = WIDEST
    shown.width = shown.measure(table).maximum
    with shown.capture() as captured:
        shown.print(table)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def say_fields(pairs: Iterable[tuple[str, Any]]) -> None:
    """One thing: its fields below each other; fields without a value are left out."""
    shown = [(name, plain(value)) for name, value in pairs if value not in (None, "", [], {})]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        say(f"{name.ljust(width)}  {value}")


def plain(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return str(value)


def sum_of(minor: int | None, code: str | None) -> str:
    """A sum with its currency, with as many places as the currency has."""
    if minor is None or code is None:
        return "–"
    unit = currency(code)
    return f"{Money(minor, unit).decimal:.{unit.exponent}f} {code}"


def kwh_of(watt_hours: str | None) -> str:
    """Watt-hours of a JSON answer, as kWh for people: two places at least, and no digit lost."""
    if watt_hours is None:
        return "–"
    exact = Decimal(watt_hours).scaleb(-3)
    places = max(2, -int(exact.normalize().as_tuple().exponent))
    return f"{exact:.{places}f} kWh"


def clock_of(when: str | int | None, zone_name: str) -> str:
    """An instant as a clock shows it in a zone."""
    if when is None:
        return "–"
    at = parse_instant(when) if isinstance(when, str) else Instant(when)
    return f"{moment(at, zone(zone_name)):%Y-%m-%d %H:%M}"


def rfc3339_of(when: int | None) -> str | None:
    """A stored instant as JSON has it."""
    return None if when is None else rfc3339(Instant(when))
