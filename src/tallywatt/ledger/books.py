"""Pure: accounts, entries and two-phase transfers. Nothing is edited; a correction is a new entry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import EntryId


class Phase(StrEnum):
    """What a transfer does. A pending one is resolved at most once, by a post, a void or an expiry that names it."""

    SINGLE = "single"
    PENDING = "pending"
    POST = "post"
    VOID = "void"
    EXPIRE = "expire"


RESOLVING = (Phase.POST, Phase.VOID, Phase.EXPIRE)
MOVING = (Phase.SINGLE, Phase.POST)
"""The phases that move money on the books."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account in one currency. Only a constrained one (prepaid balance, credit limit) keeps counters."""

    account_id: str
    code: str
    """`revenue`, `tax/GB/20`, `receivable/customer/…`, `clearing/…`, `suspense/…`: see `chart`."""
    currency: str
    constrained: bool
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money from one account to another. Its id is its idempotency key; the entry's hash guards its content."""

    transfer_id: str
    entry_id: EntryId
    phase: Phase
    debit_account_id: str
    credit_account_id: str
    amount_minor: int
    currency: str
    pending_id: str | None
    booked_at: Instant


@dataclass(frozen=True, slots=True)
class Entry:
    """Linked transfers, written all or none, and what caused them."""

    entry_id: EntryId
    kind: str
    cause_kind: str
    cause_id: str
    payload_hash: str
    booked_at: Instant
