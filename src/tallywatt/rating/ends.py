"""Pure: for which of a session's ends the final price waits."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from tallywatt.rating.plan import plan_of

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff


class WaitsFor(StrEnum):
    """The end of a session that a price needs."""

    TRANSACTION = "transaction"
    OCCUPANCY = "occupancy"


def waits_for(tariff: Tariff) -> WaitsFor:
    """Occupancy where the tariff prices idle time at any hour; else the transaction."""
    return WaitsFor.OCCUPANCY if any(one.price for one in plan_of(tariff).parking) else WaitsFor.TRANSACTION


def waits_until(tariff: Tariff, policy: Policy, transaction_ended_at: Instant) -> int:
    """Until when at most: then the price is final, without idle time after the transaction."""
    if waits_for(tariff) is WaitsFor.TRANSACTION:
        return transaction_ended_at
    return transaction_ended_at + policy.longest_wait_seconds * 1000


def is_final(
    tariff: Tariff,
    policy: Policy,
    *,
    transaction_ended_at: Instant | None,
    occupancy_ended_at: Instant | None,
    now: Instant,
) -> bool:
    """Whether the last end that this tariff needs has come, or the wait for it is over."""
    if transaction_ended_at is None:
        return False
    return occupancy_ended_at is not None or now >= waits_until(tariff, policy, transaction_ended_at)
