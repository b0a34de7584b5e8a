"""Pure: the two equations on which an operator looks first, and the day to which revenue belongs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Period, instant, zone
from tallywatt.kernel.energy import wh

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class EnergyFigures:
    """Delivered = billed + explained + running. What is left over is unexplained, and ought to be nothing."""

    delivered: int
    """Milliwatt-hours, as are the others."""
    billed: int
    running: int = 0
    """Of sessions that go on, or whose price waits."""
    explained_by: Mapping[str, int] = field(default_factory=dict)

    @property
    def explained(self) -> int:
        """All that is on no bill and has its reason."""
        return sum(self.explained_by.values())

    @property
    def unexplained(self) -> int:
        """What nobody can account for."""
        return self.delivered - self.billed - self.explained - self.running

    def as_json(self) -> dict[str, Any]:
        """The figures in Wh as decimal strings."""
        return {
            "delivered_wh": wh(self.delivered),
            "billed_wh": wh(self.billed),
            "explained_wh": wh(self.explained),
            "explained_by": {reason: wh(amount) for reason, amount in sorted(self.explained_by.items()) if amount},
            "running_wh": wh(self.running),
            "unexplained_wh": wh(self.unexplained),
        }


@dataclass(frozen=True, slots=True)
class MoneyFigures:
    """Billed = received - refunded + owed, in minor units of one currency."""

    invoices: int = 0
    billed: int = 0
    net: int = 0
    tax: int = 0
    captured: int = 0
    """By all providers. One of our own is the invoice: what it takes is owed until the money comes."""
    refunded: int = 0
    suspense: int = 0
    """Taken by a provider against what our state allows; no invoice asks for it."""
    held: int = 0
    """On drivers' cards at the moment."""
    allocated: int = 0
    """Collected for invoices, and not given back."""
    on_account: int = 0
    """Bought on invoice and not paid yet; below zero: paid beyond it."""

    @property
    def received(self) -> int:
        """What was captured, as far as it has come in."""
        return self.captured - self.on_account

    @property
    def owed(self) -> int:
        """What invoices ask for and nobody has paid."""
        return self.billed - self.allocated + self.on_account

    @property
    def holds(self) -> bool:
        """Whether the equation holds: every captured minor unit that stayed is for an invoice."""
        return self.billed == self.received - self.refunded + self.owed

    def as_json(self) -> dict[str, int]:
        """The figures by the names that pages and programs know."""
        return {
            "invoices": self.invoices,
            "billed_minor": self.billed,
            "net_minor": self.net,
            "tax_minor": self.tax,
            "captured_minor": self.received,
            "refunded_minor": self.refunded,
            "suspense_minor": self.suspense,
            "held_minor": self.held,
            "owed_minor": self.owed,
            "on_account_minor": self.on_account,
        }


def day_period(day: date | str, zone_name: str) -> Period:
    """A calendar day in a zone: 23 or 25 hours long where the clocks change."""
    first = date.fromisoformat(day) if isinstance(day, str) else day
    home = zone(zone_name)
    return Period(
        instant(datetime.combine(first, time.min, home)),
        instant(datetime.combine(first + timedelta(days=1), time.min, home)),
    )
