"""What the demonstration shows while it plays: calm lines, and one picture that moves where somebody watches."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tallywatt.entrypoints.cli.show import sum_of
from tallywatt.kernel.energy import wh

if TYPE_CHECKING:
    from types import TracebackType

REFRESHES_PER_SECOND = 4
TELL_EVERY_PERCENT = 10
MOST_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of the play."""

    played: int
    of: int
    clock: str
    energy: dict[str, str]
    """The view's figures of energy, in Wh."""
    money: dict[str, int]
    """The view's figures of money, in minor units."""
    currency: str
    kills: int
    kills_in_all: int
    serving: bool


class Screen:
    """Standard error: what is for people. Standard output has the last line alone."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._told_percent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.still()

    def say(self, text: str = "", *, style: str = "") -> None:
        """A line that stays."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def field(self, name: str, value: str) -> None:
        """A name and what it is, below the one before."""
        self._console.print(Text.assemble(("  " + name.ljust(12), "bold"), value), soft_wrap=True)

    def paint(self, picture: Picture) -> None:
        """Show a moment: in place on a terminal, as a line now and then elsewhere."""
        if not self._console.is_terminal:
            percent = 100 * picture.played // max(picture.of, 1)
            if percent - self._told_percent >= TELL_EVERY_PERCENT:
                self._told_percent = percent
                self._tell(picture)
            return
        if self._live is None:
            self._live = Live(
                console=self._console, refresh_per_second=REFRESHES_PER_SECOND, transient=False, auto_refresh=False
            )
            self._live.start()
        self._live.update(drawn(picture, min(self._console.width, MOST_WIDTH)), refresh=True)

    def still(self) -> None:
        """The picture moves no more."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _tell(self, picture: Picture) -> None:
        self.say(f"{picture.played} of {picture.of} sessions, {picture.clock}: {energy_words(picture)}")


def drawn(picture: Picture, width: int) -> Group:
    """The picture: how far the day is, and the two equations."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", width=10)
    table.add_column(no_wrap=True)
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_row(
        f"{picture.played} of {picture.of}",
        ProgressBar(picture.of, picture.played, width=max(10, width - 52)),
        picture.clock,
    )
    table.add_row("sessions", head)
    for parts in (energy_parts(picture), money_parts(picture)):
        [(name, whole), *rest] = parts
        table.add_row(name, _equation(whole, rest))
    state = Text("serving", style="green") if picture.serving else Text("killed, starting again", style="red")
    table.add_row("server", Text.assemble(state, f", kill -9: {picture.kills} of {picture.kills_in_all}"))
    return Group(Text(), table)


def _equation(whole: str, parts: list[tuple[str, str]]) -> Text:
    text = Text(whole)
    for index, (word, amount) in enumerate(parts):
        text.append(" = " if index == 0 else " + ", "dim")
        text.append(f"{word} ", "dim")
        text.append(amount)
    return text


def energy_parts(picture: Picture) -> list[tuple[str, str]]:
    """Delivered = billed + explained + what is charging now, in kWh to three places."""
    energy = {name: Decimal(amount).scaleb(-3) for name, amount in picture.energy.items() if name.endswith("_wh")}
    delivered, billed, explained = (_kwh(energy[f"{name}_wh"]) for name in ("delivered", "billed", "explained"))
    # What is left is shown as what is left, so that the figures that are seen add up as well.
    now = delivered - billed - explained
    return [
        ("delivered", f"{delivered} kWh"),
        ("billed", f"{billed}"),
        ("explained", f"{explained}"),
        ("now", f"{now}"),
    ]


def _kwh(exact: Decimal) -> Decimal:
    return exact.quantize(Decimal("0.001"))


def money_parts(picture: Picture) -> list[tuple[str, str]]:
    """Billed = captured + owed; while it plays, what is being collected is owed."""
    money, code = picture.money, picture.currency
    kept = money["captured_minor"] - money["refunded_minor"]
    parts = [("billed", money["billed_minor"]), ("captured", kept), ("owed", money["owed_minor"])]
    return [(name, sum_of(amount, code)) for name, amount in parts]


def energy_words(picture: Picture) -> str:
    """Both equations as a sentence."""
    return ", ".join(f"{name} {amount}" for name, amount in [*energy_parts(picture), *money_parts(picture)])


NOTHING: dict[str, Any] = {
    "energy": {"delivered_wh": wh(0), "billed_wh": wh(0), "explained_wh": wh(0), "running_wh": wh(0)},
    "money": {"billed_minor": 0, "captured_minor": 0, "refunded_minor": 0, "owed_minor": 0},
}
"""The figures before the first ones came."""
