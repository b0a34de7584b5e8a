"""Pure: what a station of OCPP 2.1 has counted for itself: evidence beside a session, which decides no price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import FrameId, RatedId, SessionId

USUAL_TOLERANCE_MINOR: Final = 1
"""Two that count alike may round otherwise."""


@dataclass(frozen=True, slots=True)
class CountedCost:
    """CostDetails, as a station told it; exact figures."""

    currency: str | None
    before_taxes: Decimal | None
    after_taxes: Decimal | None
    kind: str | None
    """NormalCost, MinCost, MaxCost."""
    failure: str | None
    """Why it could not count."""
    tariff_id: str | None
    """By which tariff, if it says so."""
    parts: dict[str, Any]
    """What it counted of each kind, and how much of it; exact figures as text."""


@dataclass(frozen=True, slots=True)
class ToldCost:
    """What the station of a session has counted last, and how it stands beside the house's own price."""

    session_id: SessionId
    currency: str | None
    before_taxes: Decimal | None
    after_taxes: Decimal | None
    kind: str | None
    failure: str | None
    tariff_id: str | None
    parts: dict[str, Any]
    sequence_number: int | None
    is_final: bool
    """Told with the end of the transaction."""
    received_at: Instant
    """Machine time."""
    frame_id: FrameId
    rated_id: RatedId | None = None
    """The price with which it was compared."""
    difference_minor: int | None = None
    """The station's sum less ours, in minor units; None: not compared, or not to be compared."""
    version: int = 1


def difference(told: ToldCost, currency: str, exponent: int, net_minor: int, gross_minor: int) -> int | None:
    """The station's sum less ours: with tax where it tells that, else before tax. None where there is nothing to compare."""
    if told.currency not in {None, currency} or told.failure is not None:
        return None
    ours = gross_minor if told.after_taxes is not None else net_minor
    theirs = told.after_taxes if told.after_taxes is not None else told.before_taxes
    if theirs is None:
        return None
    return int(theirs.scaleb(exponent).to_integral_value(ROUND_HALF_UP)) - ours
