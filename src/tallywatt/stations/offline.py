"""Pure: what a station may do while it has no connection, how its version is set to that, and what money is at risk by it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """What one station, those of one site, or (scope empty) each of which nothing else is said, may do offline."""

    scope: str
    """The station's id, the site's, or nothing."""
    starts: Starts
    refused_wh: int
    """So much energy may still flow for a card that turns out to be refused."""
    changed_at: Instant
    removed_at: Instant | None = None
    """Since when it is not said any more, and the next wider rule holds."""
    version: int = 1


def rule_at(rules: Mapping[str, OfflineRule], station_id: str, location_id: str | None) -> OfflineRule | None:
    """What holds for a station: what is said of it, else of its site, else of all; None: nobody has said anything."""
    found = (rules.get(scope) for scope in (station_id, location_id or "", ""))
    return next((one for one in found if one is not None and one.removed_at is None), None)


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


@dataclass(frozen=True, slots=True)
class Risk:
    """What a rule risks, in the operator's currency."""

    an_hour: str | None
    """At the strongest EVSE, while nobody is asked; None: nothing is lost so, or the power is not known."""
    each_time: str | None
    """For a card that is refused afterwards; None: nothing."""
    currency: str


def risk_of(rule: OfflineRule, price_per_kwh: Decimal, watts: int | None, currency: str) -> Risk:
    """What is at risk where a kilowatt-hour costs so much and the strongest EVSE has so much power."""
    is_lost = rule.starts is not Starts.NOBODY and watts is not None
    an_hour = _sum(price_per_kwh * (watts or 0) / 1000) if is_lost else None
    each_time = _sum(price_per_kwh * rule.refused_wh / 1000) if rule.refused_wh else None
    return Risk(an_hour, each_time, currency)


def words_of(rule: OfflineRule, risk: Risk) -> tuple[str, ...]:
    """What a rule means, and what it risks."""
    told = [_STARTS[rule.starts]]
    if rule.starts is not Starts.NOBODY:
        who = "a card that was blocked since" if rule.starts is Starts.KNOWN else "somebody who never pays"
        an_hour = "" if risk.an_hour is None else f": up to {risk.an_hour} {risk.currency} an hour at one EVSE"
        told.append(f"What {who} takes until the station is back is lost{an_hour}.")
    if risk.each_time is not None:
        told.append(
            f"When the station is back and a card turns out to be refused, {rule.refused_wh} Wh may still flow: "
            f"up to {risk.each_time} {risk.currency} each time."
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
