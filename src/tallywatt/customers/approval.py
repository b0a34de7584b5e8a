"""Pure: how much somebody may give away alone, and what waits for a second pair of eyes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.customers.roles import ROLES, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.money import Currency


class Holder(StrEnum):
    """Whose limit it is: a role of people, or all programs that come with a key."""

    OWNER = Role.OWNER.value
    SUPPORT = Role.SUPPORT.value
    FINANCE = Role.FINANCE.value
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class MoneyLimit:
    """What whoever has a role may give away alone, in one currency, as the operator has set it. None: no limit."""

    holder: Holder
    currency: str
    payment_minor: int | None
    """The most of one payment, in all."""
    day_minor: int | None
    """The most in one day of the operator's zone."""
    changed_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class GivenAway:
    """What somebody has given away alone in one day. A counter, locked by whoever adds to it."""

    holder_id: str
    day: str
    currency: str
    given_minor: int
    version: int = 1


class Beyond(StrEnum):
    """Which limit a request goes beyond."""

    PAYMENT = "payment"
    DAY = "day"


def standard_limit(holder: Holder, currency: Currency, at: Instant) -> MoneyLimit:
    """The limit of who has been set none: what the table of roles says, in whole units of the currency."""
    duties = None if holder is Holder.PROGRAM else ROLES[Role(holder.value)]
    most = None if duties is None or duties.refund_limit is None else duties.refund_limit * 10**currency.exponent
    return MoneyLimit(holder, currency.code, most, None, at)


def beyond(limit: MoneyLimit, minor: int, each: int, of_payment: int, of_day: int) -> tuple[Beyond, ...]:
    """Which limits so much more would go beyond, `each` at most of one payment, after what was given of it and in the day."""
    passed = []
    if limit.payment_minor is not None and of_payment + each > limit.payment_minor:
        passed.append(Beyond.PAYMENT)
    if limit.day_minor is not None and of_day + minor > limit.day_minor:
        passed.append(Beyond.DAY)
    return tuple(passed)


class ApprovalKind(StrEnum):
    """What is to be approved."""

    REFUND = "refund"
    CORRECTION = "correction"
    """Sessions rated anew: what was charged too much goes back."""
    PAYOUT = "payout"
    """What is left of a prepaid balance goes back."""
    DISPUTE = "dispute"
    """A dispute is let go: its sum stays with the payer."""


class ApprovalState(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Approval:
    """A request that waits, or has waited, for another person."""

    approval_id: str
    kind: ApprovalKind
    subject_id: str
    """A payment, a correction, a dispute, or the customer of a balance."""
    request_key: str
    """The same request again is the same approval."""
    amount_minor: int
    currency: str
    reason: str
    beyond: tuple[str, ...]
    """The limits that it goes beyond."""
    request: dict[str, Any]
    """What is done when it is approved."""
    asked_by: str
    """As it is written down with what somebody does: `person:…`, `key:…`."""
    state: ApprovalState
    created_at: Instant
    expires_at: Instant
    decided_at: Instant | None
    decided_by: str | None
    note: str | None
    result_id: str | None
    """What came of it: the operation, or the correction."""
    version: int = 1

    def is_open(self, now: Instant) -> bool:
        """Whether it can be decided at this moment; machine time."""
        return self.state is ApprovalState.WAITING and now < self.expires_at


LONGEST_CHAIN: Final = 20
"""Keys that made keys that made keys: further than that nobody is followed."""


def is_same_person(asker: Iterable[str], decider: Iterable[str]) -> bool:
    """Whether anybody stands behind both: a key stands for all who have made it or seen its secret."""
    return not set(asker).isdisjoint(decider)
