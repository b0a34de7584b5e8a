"""Pure: a price on a station's own display: whether a station shows one, and how its version is told.

OCPP 2.x has messages for it. OCPP 1.6 is told by DataTransfer, as the Open Charge Alliance has agreed on for California.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.kernel.clock import rfc3339
from tallywatt.stations.messages import OLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CommandId, SessionId
    from tallywatt.stations.reports import Variable

VENDOR: Final = "org.openchargealliance.costmsg"
LONGEST_TEXT: Final = 512
"""Of a text for a person, in OCPP 2.x."""
USUAL_SECONDS: Final = 60
LEAST_SECONDS: Final = 10
MOST_SECONDS: Final = 3600
COST: Final = "cost"
COST_KEY: Final = "CustomDisplayCostAndPrice"
"""Of OCPP 1.6: whether a station shows costs and prices."""
TARIFF: Final = "tariff"
_NO: Final = frozenset({"false", "0", ""})


class Shows(StrEnum):
    """Whether stations are told prices."""

    AUTO = "auto"
    """Those that can show one, as far as is known; OCPP 2.x is asked to, until it says no."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class DisplayRule:
    """Whether one station, or (scope empty) each of which nothing else is said, is told prices, and how often."""

    scope: str
    shows: Shows
    every_seconds: int
    """While a session runs, no sooner than this after the last time."""
    changed_at: Instant
    tolerance_minor: int | None = None
    """By how much a cost that a station counts may differ from ours before a person is told; None: as usual."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class ToldPrice:
    """What the display of a running session was last told, so that nothing is said twice."""

    session_id: SessionId
    gross_minor: int | None
    """None: nothing yet."""
    told_at: Instant | None
    """Machine time."""
    command_id: CommandId | None
    """The command that told it."""
    silences: int = 0
    """How often in a row there was no answer."""
    is_refused: bool = False
    """The station has said that it does not show prices."""
    is_final: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices that hold for a time, after taxes, in major units; None: there is no such price."""

    per_kwh: Decimal | None = None
    per_hour: Decimal | None = None
    once: Decimal | None = None
    idle_per_hour: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CostNow:
    """What a display is told while a session goes on."""

    transaction_id: str
    cost: Decimal
    """After taxes, in major units."""
    at: Instant
    register: int | None
    """The meter's register when that was so, in milliwatt-hours."""
    is_idle: bool
    rates: Rates
    next_at: Instant | None = None
    next_rates: Rates = field(default_factory=Rates)


def shows(protocol: str | None, variables: Iterable[Variable], what: str = COST) -> bool | None:
    """Whether a station's own configuration says that it shows costs, or tariffs; None: it does not say."""
    if protocol == OLD:
        told = [one.value for one in variables if one.name.casefold() == COST_KEY.casefold()]
    else:
        told = [
            one.value
            for one in variables
            if one.component.casefold() == "tariffcostctrlr"
            and one.name.casefold() in {"available", "enabled"}
            and one.instance.casefold() in {what, ""}
            and one.attribute == "Actual"
        ]
    if not told:
        return None
    return all((value or "").strip().casefold() not in _NO for value in told)


def is_told(rule: DisplayRule | None, protocol: str | None, says: bool | None) -> bool:
    """Whether a station is told prices."""
    wanted = Shows.AUTO if rule is None else rule.shows
    if wanted is not Shows.AUTO:
        return wanted is Shows.ALWAYS
    # To most stations of OCPP 1.6 this DataTransfer means nothing; one of 2.x knows the message, and may decline it.
    return says is True or (says is None and protocol is not None and protocol != OLD)


def running(protocol: str, now: CostNow) -> tuple[str, dict[str, Any]]:
    """The message of what a session costs so far."""
    if protocol != OLD:
        return "CostUpdated", {"transactionId": now.transaction_id, "totalCost": number(now.cost)}
    told: dict[str, Any] = {
        "transactionId": number(now.transaction_id),
        "timestamp": rfc3339(now.at),
        "meterValue": 0 if now.register is None else now.register // 1000,
        "cost": now.cost,
        "state": "Idle" if now.is_idle else "Charging",
        **_prices(now.rates),
    }
    if now.next_at is not None:
        told["nextPeriod"] = {"atTime": rfc3339(now.next_at), **_prices(now.next_rates)}
        told["triggerMeterValue"] = {"atTime": rfc3339(now.next_at)}
    return _for_display("RunningCost", told)


def final(protocol: str, transaction_id: str, cost: Decimal, text: str) -> tuple[str, dict[str, Any]]:
    """The message of what a session has cost in the end."""
    if protocol != OLD:
        return "CostUpdated", {"transactionId": transaction_id, "totalCost": number(cost)}
    told = {"transactionId": number(transaction_id), "cost": cost, "priceText": text[:LONGEST_TEXT]}
    return _for_display("FinalCost", told)


def user_price(token: str, text: str) -> tuple[str, dict[str, Any]]:
    """OCPP 1.6: the message of the prices that hold for whoever has shown a token. Later versions say it in answers."""
    return _for_display("SetUserPrice", {"idToken": token, "priceText": text[:LONGEST_TEXT]})


def _for_display(kind: str, told: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    data = msgspec.json.Encoder(decimal_format="number").encode(told).decode()
    return "DataTransfer", {"vendorId": VENDOR, "messageId": kind, "data": data}


def _prices(rates: Rates) -> dict[str, Any]:
    charging = {"kWhPrice": rates.per_kwh, "hourPrice": rates.per_hour, "flatFee": rates.once}
    said = {name: price for name, price in charging.items() if price is not None}
    found: dict[str, Any] = {"chargingPrice": said or {"kWhPrice": Decimal(0)}}
    if rates.idle_per_hour is not None:
        found["idlePrice"] = {"hourPrice": rates.idle_per_hour}
    return found


def number(exact: Decimal | str) -> Any:
    """A figure as JSON has it. It is only shown: nothing is counted with it."""
    return msgspec.json.decode(f"{Decimal(exact):f}")
