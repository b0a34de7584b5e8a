"""Pure: the rows of rating: versions of tariffs and policies, assignments, offers, rated results with their lines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Any

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EvseId, OfferId, PolicyVersionId, RatedId, SessionId, TariffVersionId


class Dimension(StrEnum):
    """What a price component counts, in OCPI's words."""

    ENERGY = "ENERGY"
    TIME = "TIME"
    """Per hour in which the vehicle asks for power."""
    PARKING_TIME = "PARKING_TIME"
    """Per hour in which the vehicle asks for no power (as redefined in 2026)."""
    FLAT = "FLAT"


class Unit(StrEnum):
    """What the whole number in a line's quantity counts."""

    MILLIWATT_HOURS = "milliwatt_hours"
    MILLISECONDS = "milliseconds"
    TIMES = "times"


class TaxBasis(StrEnum):
    """Whether a tariff's prices include tax."""

    GROSS = "gross"
    NET = "net"


class Scope(StrEnum):
    """Where an assignment holds, from the narrowest to the widest."""

    EVSE = "evse"
    STATION = "station"
    LOCATION = "location"
    OPERATOR = "operator"


EVERYONE = "everyone"
"""The audience of an assignment that asks for no membership."""


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """A tariff as it was put down; never changed. Its id is the hash of its canonical text."""

    tariff_version_id: TariffVersionId
    reference: str
    """The tariff's own id, which its versions share."""
    name: str
    canonical: str
    currency: str
    tax_basis: TaxBasis
    created_at: Instant
    frozen_of: TariffVersionId | None = None
    """Of a version that was made for offers: the one that follows a market, of which it is the state of a moment."""


@dataclass(frozen=True, slots=True)
class TariffAssignment:
    """From when until when a tariff version holds, where, and for whom."""

    assignment_id: str
    tariff_version_id: TariffVersionId
    scope: Scope
    scope_id: str
    """The id of the EVSE, station or location; empty for the operator's whole estate."""
    audience: str
    valid_from: Instant
    valid_until: Instant | None
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """How prices are worked out where a tariff leaves it open; never changed. Its id is a hash, as a tariff's."""

    policy_version_id: PolicyVersionId
    name: str
    canonical: str
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Offer:
    """The price as it was offered: what a session freezes before it starts, and what was shown then."""

    offer_id: OfferId
    evse_id: EvseId | None
    tariff_version_id: TariffVersionId
    policy_version_id: PolicyVersionId
    assignment_id: str | None
    choice_reason: str
    zone: str
    currency: str
    tax_basis: TaxBasis
    tax_rules: dict[str, Any]
    """Tax percentage per dimension and element, as text, frozen from the tariff."""
    shown: dict[str, Any]
    """The price as it was shown (`offer.shown_data`)."""
    offered_at: Instant


@dataclass(frozen=True, slots=True)
class RatedResult:
    """What a session costs, with all that is needed to work it out again. A new price is a new row."""

    rated_id: RatedId
    session_id: SessionId
    supersedes: RatedId | None
    offer_id: OfferId | None
    tariff_version_id: TariffVersionId
    policy_version_id: PolicyVersionId
    canonical_input: str
    """The metered session as canonical text (`canonical.session_text`)."""
    engine_version: str
    zone_data_version: str
    created_at: Instant
    currency: str
    tax_basis: TaxBasis
    milliwatt_hours: int
    """All energy that was metered."""
    priced_milliwatt_hours: int
    """The part of it to which an energy price applied; the rest is free of an energy price by the tariff."""
    net_minor: int
    tax_minor: int
    gross_minor: int
    warnings: tuple[str, ...]
    credits: RatedId | None = None
    """The result of which a credit note takes back this much; None: a price."""


@dataclass(frozen=True, slots=True)
class RatedLine:
    """One line of a rated result: exact quantity and price, the reason, and the integers that everybody reads."""

    rated_id: RatedId
    line_number: int
    dimension: Dimension
    element_index: int
    """Which element of the tariff applied, counted from 0."""
    period_start: Instant
    period_end: Instant
    unit: Unit
    measured: int
    """The quantity as measured; `quantity` is more where the tariff bills in blocks."""
    quantity: int
    unit_price: Decimal
    """Per kWh, per hour, or each; with or without tax as the result's tax basis says."""
    tax_rate: Decimal | None
    """In percent; None: the tariff names no tax, which is not 0 %."""
    exact_amount: str
    """The amount before rounding, in major units on the tax basis, as a fraction: 1257/100."""
    net_minor: int
    tax_minor: int
    gross_minor: int
    reason_code: str
    reason: dict[str, Any]
    """Parameters of the reason: the restrictions that applied. The sentence is made when it is read (`explain`)."""
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RatedTax:
    """The tax of one rate."""

    rated_id: RatedId
    tax_number: int
    tax_rate: Decimal | None
    net_minor: int
    tax_minor: int
    gross_minor: int
