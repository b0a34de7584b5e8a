"""Pure: how a price is worked out where the tariff's specification leaves it open; each choice with its source.

A policy has versions like a tariff: a session freezes the one under which its price was offered.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.kernel.identity import PolicyVersionId
from tallywatt.rating.fields import BadField
from tallywatt.rating.records import PolicyVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.kernel.clock import Instant

_encoder = msgspec.json.Encoder(order="sorted")


class Interpolation(StrEnum):
    """What to do with energy where the price changes and there is no reading (OCPI: CDR object, ChargingPeriod)."""

    ALLOWED = "allowed"
    """Split in proportion to time; the assumption travels with the line."""
    MEASURED_ONLY = "measured_only"
    """All energy between the two readings at the lower price, with a warning: only measured values may be billed."""


class StepSize(StrEnum):
    """How blocks are billed. OCPI 3.0 has none, and some legal orders forbid billing what was not delivered."""

    ON = "on"
    """As OCPI 2.3.0 and 2.2.1-d2: once on the session's energy and once on its time; where parking was priced, it alone
    is filled up (mod_cdrs, "step_size"; ocpi #396, #546)."""
    BY_DIMENSION = "by_dimension"
    """As OCPI 2.1.1, which knows blocks and no rule for the session: energy, time and parking each for itself."""
    BY_COMPONENT = "by_component"
    """2.1.1 by the letter of its PriceComponent: what each price was used for is filled up for itself (ocpi #289)."""
    COMBINED = "combined"
    """As OCPI 2.2 and the first 2.2.1: time and parking are one total, filled up at the price used last (ocpi #334)."""
    OFF = "off"


class FlatScope(StrEnum):
    """How often a flat price is charged (ocpi #390, #176, #426). A reservation has its own, whatever is chosen here."""

    SESSION = "session"
    """Once: the first that applies."""
    ELEMENT = "element"
    """Once for each element whose flat price comes to apply."""


class FedBack(StrEnum):
    """What energy is worth that the vehicle feeds back (a negative ENERGY in OCPI), in lines of its own."""

    CREDITED = "credited"
    """At the price at which it would have been sold: OCPI's volume times price, with its sign."""
    FREE = "free"
    """Nothing; the line tells how much it was."""


class UnknownSignal(StrEnum):
    """Whether an element restricted by power or current applies when that figure is not known (OCPI does not say)."""

    DOES_NOT_MATCH = "does_not_match"
    MATCHES = "matches"


class WithheldTime(StrEnum):
    """What time is in which the station or load management withholds power.

    OCPI counts it as charging time: the vehicle requests power (PARKING_TIME as redefined in 2026).
    """

    CHARGING = "charging"
    FREE = "free"


class MinimumPrice(StrEnum):
    """Whether the least that a session costs holds after a discount. OCPI knows no discounts."""

    HOLDS = "holds"
    """The least covers what any session costs who sells it, and OCPI calls it the least that a session costs."""
    GIVES_WAY = "gives_way"
    """A discount is taken off what would have been paid, the minimum included: what a voucher promises."""


class Amounts(StrEnum):
    """Which total is rounded first; the other follows from it and the tax."""

    BY_TARIFF = "by_tariff"
    GROSS_FIRST = "gross_first"
    NET_FIRST = "net_first"


class Rounding(StrEnum):
    """How an exact amount becomes whole minor units. OCPI prescribes nothing (ocpi #401)."""

    HALF_UP = "half_up"
    """Half away from zero: what tax offices and drivers expect."""
    HALF_EVEN = "half_even"


@dataclass(frozen=True)
class Policy:
    """The choices. The defaults follow OCPI 2.3.0 to the letter and, where it is silent, favour the driver."""

    name: str = "standard"
    interpolation: Interpolation = Interpolation.ALLOWED
    step_size: StepSize = StepSize.ON
    unknown_signal: UnknownSignal = UnknownSignal.DOES_NOT_MATCH
    withheld_time: WithheldTime = WithheldTime.CHARGING
    amounts: Amounts = Amounts.BY_TARIFF
    rounding: Rounding = Rounding.HALF_UP
    longest_wait_seconds: int = 24 * 3600
    """How long after the transaction's end the final price waits for the vehicle to leave."""
    flat_scope: FlatScope = FlatScope.SESSION
    fed_back: FedBack = FedBack.CREDITED
    minimum_price: MinimumPrice = MinimumPrice.HOLDS

    @cached_property
    def canonical(self) -> str:
        """The one text of this policy: JSON with sorted keys. Choices that came later are left out while they are as
        they always were, so that a policy keeps its id.
        """
        values = {name: value for name, value in asdict(self).items() if _CAME_LATER.get(name) != value}
        return _encoder.encode(values).decode()

    @cached_property
    def version_id(self) -> PolicyVersionId:
        """The hash of the canonical text."""
        return PolicyVersionId(hashlib.sha256(self.canonical.encode()).hexdigest())

    def row(self, created_at: Instant) -> PolicyVersion:
        """The row under which it is kept."""
        return PolicyVersion(self.version_id, self.name, self.canonical, created_at)


_CAME_LATER: dict[str, StrEnum] = {
    "flat_scope": FlatScope.SESSION,
    "fed_back": FedBack.CREDITED,
    "minimum_price": MinimumPrice.HOLDS,
}
STANDARD = Policy()
_CHOICES: dict[str, type[StrEnum]] = {
    "interpolation": Interpolation,
    "step_size": StepSize,
    "unknown_signal": UnknownSignal,
    "withheld_time": WithheldTime,
    "amounts": Amounts,
    "rounding": Rounding,
    "flat_scope": FlatScope,
    "fed_back": FedBack,
    "minimum_price": MinimumPrice,
}


def read_policy(data: Mapping[str, Any]) -> Policy:
    """The policy of JSON-like data; what is left out is as in the standard policy."""
    known = {field.name for field in fields(Policy)}
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in known:
            raise _bad(key, "is not a choice of a policy")
        if key in _CHOICES:
            values[key] = _choice(key, value)
        elif type(value) is not (int if key == "longest_wait_seconds" else str):
            raise _bad(key, f"cannot be {value!r}")
        else:
            values[key] = value
    return Policy(**values)


def _choice(key: str, value: Any) -> StrEnum:
    try:
        return _CHOICES[key](value)
    except ValueError as error:
        choices = ", ".join(_CHOICES[key])
        raise _bad(key, f"must be one of {choices}") from error


def _bad(key: str, says: str) -> BadField:
    return BadField(key, "policy.not_known", says)


@lru_cache(maxsize=256)
def read_policy_text(canonical: str) -> Policy:
    """The policy of a stored canonical text; read once per process."""
    return read_policy(msgspec.json.decode(canonical))
