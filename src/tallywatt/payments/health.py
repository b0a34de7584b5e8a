"""Pure: whether a provider account can be relied on just now: a circuit that opens by failures and closes by a probe.

    closed ── so many failures in a row ──► open ── its pause has passed ──► probing ── a success ──► closed
                                             ▲                                  │
                                             └──────── a failure ◄──────────────┘

What is on its way at an account stays with it whatever its health: a hold is captured where it was placed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant
from tallywatt.payments.provider import NotSent, Unknown

if TYPE_CHECKING:
    from tallywatt.kernel.identity import ProviderAccountId
    from tallywatt.payments.provider import Outcome

FAILURES: Final = 3
"""How many sendings in a row go wrong before new payments go elsewhere."""
FIRST_PAUSE_MS: Final = 15 * 1000
LONGEST_PAUSE_MS: Final = 5 * 60 * 1000
PROBE_MS: Final = 60 * 1000
"""How long one payment tries an account alone before another one may: longer than a call lasts."""


class Circuit(StrEnum):
    """Whether new payments go there."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"
    """One payment is trying it."""


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How the last sendings to an account went. An account without a row is well."""

    account_id: ProviderAccountId
    state: Circuit
    failures: int
    """In a row."""
    pauses: int
    """How often it was tried again in vain since it was well."""
    retry_at: Instant | None
    """Machine time: from then on one payment may try it."""
    changed_at: Instant
    version: int = 1

    def may_take(self, now: Instant) -> bool:
        """Whether a new payment may go there: it is well, or it is time to try."""
        return self.state is Circuit.CLOSED or (self.retry_at is not None and self.retry_at <= now)

    def tried(self, now: Instant) -> ProviderHealth:
        """One payment tries it now; the others wait for what becomes of that."""
        if self.state is Circuit.CLOSED:
            return self
        return replace(self, state=Circuit.PROBING, retry_at=Instant(now + PROBE_MS), changed_at=now)


def healthy(account_id: ProviderAccountId, now: Instant) -> ProviderHealth:
    """The health of an account of which nothing bad is known."""
    return ProviderHealth(account_id, Circuit.CLOSED, 0, 0, None, now)


def is_failure(outcome: Outcome) -> bool:
    """Whether an answer to a sending shows the provider, not the payment, in trouble. A decline shows it at work."""
    return isinstance(outcome, (NotSent, Unknown))


def after_sending(health: ProviderHealth, outcome: Outcome, now: Instant) -> ProviderHealth:
    """The health after an answer to a sending. One that is well and stays so is unchanged: nothing is written for it."""
    if not is_failure(outcome):
        if health.state is Circuit.CLOSED and health.failures == 0:
            return health
        return replace(health, state=Circuit.CLOSED, failures=0, pauses=0, retry_at=None, changed_at=now)
    failures = health.failures + 1
    if health.state is Circuit.OPEN:
        # What was on its way there fails too; it says nothing new, and must not push the next try away for ever.
        return replace(health, failures=failures)
    if health.state is Circuit.CLOSED and failures < FAILURES:
        return replace(health, failures=failures, changed_at=now)
    pause = min(FIRST_PAUSE_MS * 2**health.pauses, LONGEST_PAUSE_MS)
    return replace(
        health,
        state=Circuit.OPEN,
        failures=failures,
        pauses=health.pauses + 1,
        retry_at=Instant(now + pause),
        changed_at=now,
    )
