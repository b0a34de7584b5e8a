"""Pure: which provider account a new payment goes to: by currency, way of paying, health, the operator's order, and cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.payments.capabilities import capabilities_of
from tallywatt.payments.limits import least_charge

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.health import ProviderHealth


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new payment needs of an account."""

    currency: str
    amount_minor: int | None = None
    method: str | None = None
    """How the driver wants to pay; None: any way."""
    on_page: bool = False
    """Whether a page is to be opened; otherwise a stored method is charged."""
    stored: bool = False
    """Whether the payer has a method stored there: in our own books nobody else could be asked."""


def cost_of(account: ProviderAccount, amount_minor: int) -> int | None:
    """What collecting a sum there costs, in its minor units, rounded up; None when the operator has not said."""
    if account.fee_minor is None and account.fee_basis_points is None:
        return None
    return (account.fee_minor or 0) - (-amount_minor * (account.fee_basis_points or 0) // 10_000)


def can(account: ProviderAccount, wish: Wish) -> bool:
    """Whether an account could take such a payment at all, well or not."""
    able = capabilities_of(account.provider)
    if account.closed_at is not None or wish.currency not in account.currencies:
        return False
    if wish.method is not None and wish.method not in able.methods:
        return False
    if wish.amount_minor is not None and wish.amount_minor < least_charge(account.provider, wish.currency):
        return False
    if wish.on_page:
        return able.hosted_page
    return able.off_session and (wish.stored or not able.own_books)


def route(
    accounts: Iterable[ProviderAccount],
    health: Mapping[str, ProviderHealth],
    wish: Wish,
    now: Instant,
    *,
    not_at: Collection[str] = (),
) -> tuple[ProviderAccount, ...]:
    """The accounts that may take a payment, the first choice first.

    The operator's order counts before the cost, and the cost before what collects by default; a cost that nobody has told is
    thought to be the highest. Accounts in trouble come last, the one that is to be tried soonest first: a driver is asked to
    wait rather than sent away.
    """

    def key(account: ProviderAccount) -> tuple[bool, int, int, bool, float, bool, str]:
        known = health.get(account.account_id)
        well = known is None or known.may_take(now)
        cost = cost_of(account, wish.amount_minor or 0)
        soon = 0 if well or known is None or known.retry_at is None else known.retry_at
        return (not well, soon, account.rank, cost is None, cost or 0, not account.is_default, account.name)

    able = (one for one in accounts if one.account_id not in not_at and can(one, wish))
    return tuple(sorted(able, key=key))
