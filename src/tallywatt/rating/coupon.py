"""Pure: coupons: a discount behind a code, how often it may be used, and who used it when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.card_numbers import card_number_in
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import CustomerId, OfferId, SessionId

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}")
REMEDY: Final = "3 to 32 letters, digits and hyphens, beginning with a letter or a digit"


class UseState(StrEnum):
    """How far a use of a coupon has come."""

    KEPT = "kept"
    """A customer has entered the code; the next session claims a use. It counts for nothing yet."""
    CLAIMED = "claimed"
    """It stands behind an offer: a session that runs, or one that is paid for and has not begun."""
    USED = "used"
    """It took something off a bill."""
    RELEASED = "released"
    """The session did not happen, or the coupon took nothing off it: the use is free again."""


OPEN: Final = frozenset({UseState.KEPT, UseState.CLAIMED})


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code and what it grants. `uses` counts what is claimed and used, and never exceeds `most_uses`."""

    coupon_id: str
    code: str
    """Folded to capitals; unique."""
    title: str
    terms: dict[str, Any]
    """The discount, in the words of a tariff's discount, without id and dates."""
    currency: str | None
    """Of an amount; a percentage has none."""
    most_uses: int | None
    uses_per_customer: int
    uses: int
    valid_from: Instant
    valid_until: Instant | None
    created_at: Instant
    version: int = 1

    def holds_at(self, at: Instant) -> bool:
        """Whether a session that starts then may have it."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    @property
    def has_uses_left(self) -> bool:
        """Whether one more use may be claimed."""
        return self.most_uses is None or self.uses < self.most_uses

    def fits(self, currency: str) -> bool:
        """Whether it can be taken off a price in that currency."""
        return self.currency in (None, currency)


@dataclass(frozen=True, slots=True)
class CouponUse:
    """One use of a coupon: by which customer, or by an ad hoc driver; behind which offer."""

    use_id: str
    coupon_id: str
    customer_id: CustomerId | None
    offer_id: OfferId | None
    state: UseState
    created_at: Instant
    claimed_at: Instant | None
    ended_at: Instant | None
    session_id: SessionId | None
    """The session off whose bill it took something."""
    version: int = 1


def fold_code(text: str) -> str:
    """A code as it is compared: people write small letters and blanks."""
    return re.sub(r"\s+", "", text).upper()


def read_code(text: str) -> str:
    """A code for a new coupon."""
    code = fold_code(text)
    if not _CODE.fullmatch(code) or card_number_in(code):
        msg = f"{text!r} is no code of a coupon"
        raise BadInput(msg, code="coupons.bad_code", remedy=REMEDY)
    return code
