"""Pure: what a station may do while it has no connection, how its version is set to that, and what money is at risk by it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

CENT: Final = Decimal("0.01")
MOST_WH: Final = 100_000
"""The largest battery of a car, nearly: more is no bound."""


class Starts(StrEnum):
    """Who may start a session at a station that is offline."""

    NOBODY = "nobody"
    KNOWN = "known"
    """Cards that its list or its memory knows."""
    ANYBODY = "anybody"
    """Every card; who it was and whether it may is found out afterwards."""


@dataclass(frozen=True, slots=True)
class OfflineRule:
    """What one station, or (scope empty) each of which nothing else is said, may do offline."""

    scope: str
    starts: Starts
    refused_wh: int
    """So much energy may still flow for a card that turns out to be refused."""
    changed_at: Instant
    version: int = 1


def wanted_value(rule: OfflineRule, code: str) -> str | None:
    """What a rule wants of one of the wanted things; None: nothing else than usual."""
    match code:
        case "local_authorize_offline":
            return "false" if rule.starts is Starts.NOBODY else "true"
        case "unknown_offline":
            return "true" if rule.starts is Starts.ANYBODY else "false"
        case "energy_of_invalid_id":
            return str(rule.refused_wh)
    return None


def words_of(rule: OfflineRule, price_per_kwh: Decimal, watts: int | None, currency: str) -> tuple[str, ...]:
    """What a rule means, and what it risks, where a kilowatt-hour costs so much and the strongest EVSE has so much power."""
    told = [_STARTS[rule.starts]]
    if rule.starts is not Starts.NOBODY:
        who = "a card that was blocked since" if rule.starts is Starts.KNOWN else "somebody who never pays"
        an_hour = (
            "" if watts is None else f": up to {_sum(price_per_kwh * watts / 1000)} {currency} an hour at one EVSE"
        )
        told.append(f"What {who} takes until the station is back is lost{an_hour}.")
    more = _sum(price_per_kwh * rule.refused_wh / 1000)
    if rule.refused_wh:
        told.append(
            f"When the station is back and a card turns out to be refused, {rule.refused_wh} Wh may still flow: "
            f"up to {more} {currency} each time."
        )
    else:
        told.append("When the station is back and a card turns out to be refused, nothing more flows.")
    return tuple(told)


_STARTS: Final = {
    Starts.NOBODY: "Offline nobody can start: no money is at risk, and every driver is turned away.",
    Starts.KNOWN: "Offline only cards that the station knows can start; everybody else is turned away.",
    Starts.ANYBODY: "Offline every card can start; who owes is found out afterwards, or never.",
}


def _sum(exact: Decimal) -> str:
    return f"{exact.quantize(CENT, ROUND_HALF_UP):f}"
