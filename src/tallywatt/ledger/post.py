"""Pure: how an entry is drafted and what rows it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tallywatt.kernel.identity import EntryId, natural_key
from tallywatt.ledger.books import Account, Entry, Phase, Transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.kernel.clock import Instant

CONSTRAINED_PREFIXES = ("prepaid/",)
"""Accounts that may not go below zero keep counters; all others are append-only and summed when read."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One transfer of a draft, in account codes."""

    debit: str
    credit: str
    amount_minor: int
    phase: Phase = Phase.SINGLE
    pending_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be posted. The same cause and kind is the same entry: posting it again changes nothing."""

    kind: str
    """`session_billed`, `payment_captured`, `payment_refunded`, `suspense` …"""
    cause_kind: str
    cause_id: str
    currency: str
    legs: tuple[Leg, ...]


def entry_id(draft: Draft) -> EntryId:
    """The id of a draft's entry: its idempotency key."""
    return EntryId(natural_key("entry", draft.kind, draft.cause_kind, draft.cause_id))


def account_id(code: str, currency: str) -> str:
    """The id of the account of a code in a currency."""
    return natural_key("account", code, currency)


def transfer_id(entry: EntryId, place: int) -> str:
    """The id of an entry's transfer in that place: how a pending one is named by what resolves it."""
    return natural_key("transfer", entry, place)


def rows_of(draft: Draft, booked_at: Instant) -> tuple[Entry, tuple[Account, ...], tuple[Transfer, ...]]:
    """The entry, the accounts that it touches, and its transfers. Legs of nothing are left out."""
    for leg in draft.legs:
        assert leg.amount_minor >= 0, "a leg of a negative amount is the other way round"
    legs = [leg for leg in draft.legs if leg.amount_minor > 0]
    entry = entry_id(draft)
    digest = natural_key(
        draft.currency, *(f"{leg.debit}>{leg.credit}:{leg.amount_minor}:{leg.phase}" for leg in draft.legs)
    )
    codes = sorted({code for leg in legs for code in (leg.debit, leg.credit)})
    accounts = tuple(
        Account(
            account_id=account_id(code, draft.currency),
            code=code,
            currency=draft.currency,
            constrained=code.startswith(CONSTRAINED_PREFIXES),
            debits_pending=0,
            debits_posted=0,
            credits_pending=0,
            credits_posted=0,
            created_at=booked_at,
        )
        for code in codes
    )
    transfers = tuple(
        Transfer(
            transfer_id=transfer_id(entry, place),
            entry_id=entry,
            phase=leg.phase,
            debit_account_id=account_id(leg.debit, draft.currency),
            credit_account_id=account_id(leg.credit, draft.currency),
            amount_minor=leg.amount_minor,
            currency=draft.currency,
            pending_id=leg.pending_id,
            booked_at=booked_at,
        )
        for place, leg in enumerate(legs)
    )
    return Entry(entry, draft.kind, draft.cause_kind, draft.cause_id, digest, booked_at), accounts, transfers


def counters_after(account: Account, transfers: Sequence[Transfer]) -> Account:
    """A constrained account with its counters moved by the transfers of one entry."""
    debits_posted, credits_posted = account.debits_posted, account.credits_posted
    debits_pending, credits_pending = account.debits_pending, account.credits_pending
    for transfer in transfers:
        moved = transfer.amount_minor
        debited = moved if transfer.debit_account_id == account.account_id else 0
        credited = moved if transfer.credit_account_id == account.account_id else 0
        if transfer.phase is Phase.PENDING:
            debits_pending, credits_pending = debits_pending + debited, credits_pending + credited
        elif transfer.phase is Phase.SINGLE:
            debits_posted, credits_posted = debits_posted + debited, credits_posted + credited
        else:
            debits_pending, credits_pending = debits_pending - debited, credits_pending - credited
            if transfer.phase is Phase.POST:
                debits_posted, credits_posted = debits_posted + debited, credits_posted + credited
    return Account(
        account.account_id,
        account.code,
        account.currency,
        account.constrained,
        debits_pending,
        debits_posted,
        credits_pending,
        credits_posted,
        account.created_at,
        account.version,
    )
