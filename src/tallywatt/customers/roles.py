"""Pure: the roles of people, as data. One table says what each may do; nothing else in the house knows a role by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tallywatt.customers.access import ALL_SCOPES, Scope


class Role(StrEnum):
    """What somebody is to an operator."""

    OWNER = "owner"
    OPERATIONS = "operations"
    SUPPORT = "support"
    FINANCE = "finance"
    READ_ONLY = "read_only"
    FLEET_MANAGER = "fleet_manager"
    DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class Duties:
    """What a role may do, and how far."""

    scopes: tuple[str, ...]
    summary: str
    """In one sentence, for whoever gives the role."""
    refund_limit: int | None = None
    """The most that it gives back of one payment alone, in whole units of the currency, where the operator has set nothing
    else; None: no limit of its own."""
    fewest_customers: int = 0
    most_customers: int | None = 0
    """How many customers a member of this role is bound to; None: any number."""

    @property
    def is_bound(self) -> bool:
        """Whether members of this role see their own customers' things alone."""
        return self.fewest_customers > 0


def _scopes(*scopes: Scope) -> tuple[str, ...]:
    return tuple(scope.value for scope in scopes)


_S: Final = Scope
ROLES: Final[dict[Role, Duties]] = {
    Role.OWNER: Duties(ALL_SCOPES, "Everything, people and keys included."),
    Role.OPERATIONS: Duties(
        _scopes(_S.READ, _S.OPERATE, _S.SELL, _S.SESSIONS, _S.AUDIT),
        "Stations, commands, tariffs, customers, uploads, the inbox. No money is moved.",
    ),
    Role.SUPPORT: Duties(
        _scopes(_S.READ, _S.ASSIST, _S.INBOX, _S.REFUND),
        "Helps drivers: starts, stops, unlocks, works the inbox, gives back small sums.",
        refund_limit=50,
    ),
    Role.FINANCE: Duties(
        _scopes(_S.READ, _S.COLLECT, _S.APPROVE, _S.INBOX, _S.AUDIT),
        "Payments, refunds, approvals, invoices, audits, the inbox. Commands no station.",
    ),
    Role.READ_ONLY: Duties(_scopes(_S.READ), "Sees everything, changes nothing."),
    Role.FLEET_MANAGER: Duties(
        _scopes(_S.OWN),
        "Sees the sessions and receipts of the customers of one fleet.",
        fewest_customers=1,
        most_customers=None,
    ),
    Role.DRIVER: Duties(_scopes(_S.OWN), "Sees own sessions and receipts.", fewest_customers=1, most_customers=1),
}
