"""Pure: lines of bank statements: what came in and went out at the operator's own bank, each kept once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import Instant  # told lines travel over the control socket, and their types are read there

if TYPE_CHECKING:
    from tallywatt.kernel.identity import ProviderAccountId

EARLY_MS: Final = 3 * 24 * 3600 * 1000
"""A bank may value a payout before its provider says that it was sent: they count days in other zones."""
LATE_MS: Final = 12 * 24 * 3600 * 1000
"""So much later a payout may arrive."""
SHOWN: Final = 4


class BankLineState(StrEnum):
    """Whether it is known what a line is."""

    OPEN = "open"
    """A person looks: nothing, or more than one thing, fits."""
    MATCHED = "matched"
    """It is a payout of a provider."""
    TRANSFER = "transfer"
    """A customer has sent it, or it is such a transfer on its way back."""
    DEBIT = "debit"
    """Direct debits have come with it, or one went back."""
    DISMISSED = "dismissed"
    """It is none of the house's business: rent, wages."""


class Carrying(StrEnum):
    """What is being done with the payers behind a line, some in each transaction."""

    COLLECTING = "collecting"
    """Their debits have come with it."""
    UNDOING = "undoing"
    """A person has said that they did not."""


@dataclass(frozen=True, slots=True)
class ToldBankLine:
    """A booked line, as a statement tells it. Its key never changes, whichever file it comes in."""

    line_id: str
    bank_account: str
    """Our own, masked."""
    statement_ref: str
    entry_ref: str
    booked_at: Instant
    amount_minor: int
    """Above zero came in."""
    currency: str
    reference: str | None = None
    """What the payer was asked to write, where it stands in a field of its own."""
    end_to_end: str | None = None
    remittance: str | None = None
    """What the payer wrote."""
    counterparty: str | None = None
    counterparty_account: str | None = None
    """Masked: who pays from where is theirs alone."""
    return_code: str | None = None
    """Why a payment came back: AC04, AM04, MD01, MS03 …"""
    batch_ref: str | None = None
    """Of which file of ours, or which group of one, the bank says that it is."""
    mandate_ref: str | None = None


@dataclass(frozen=True, slots=True)
class BankLine:
    """A line as it is kept."""

    line_id: str
    bank_account: str
    statement_ref: str
    entry_ref: str
    booked_at: Instant
    amount_minor: int
    currency: str
    reference: str | None
    end_to_end: str | None
    remittance: str | None
    counterparty: str | None
    counterparty_account: str | None
    return_code: str | None
    state: BankLineState
    candidates: int
    """How many payouts and payers fitted when it was read."""
    account_id: ProviderAccountId | None
    settlement_ref: str | None
    """The payout that it is, by the reference of its settlement line."""
    received_at: Instant
    decided_at: Instant | None
    decided_by: str | None
    note: str | None
    transfer_id: str | None = None
    """The customer's transfer that it is, or undoes."""
    batch_ref: str | None = None
    mandate_ref: str | None = None
    batch_id: str | None = None
    """Of which batch of direct debits it brings, or takes back."""
    revision: int = 0
    """How often what was decided about it was undone."""
    undone_at: Instant | None = None
    undone_by: str | None = None
    undo_note: str | None = None
    """Why, in the words of whoever did it last."""
    under_way: Carrying | None = None
    """The payers behind it are many: some of them are done, and a job goes on with the others."""
    debit_groups: str | None = None
    """While debits are collected: the groups of the file that are still to be carried, in order, with a space between."""
    carried_to: str | None = None
    """The last mandate of the first of these groups that was carried; where nobody is left, the last line that went back."""
    version: int = 1

    @property
    def groups(self) -> tuple[str, ...]:
        """Of which groups of its file it still carries payers."""
        return tuple((self.debit_groups or "").split())

    def open_again(self, at: Instant, by: str, why: str) -> BankLine:
        """As it is when all that was decided about it is undone."""
        return replace(
            self,
            state=BankLineState.OPEN,
            account_id=None,
            settlement_ref=None,
            transfer_id=None,
            batch_id=None,
            decided_at=None,
            decided_by=None,
            note=None,
            revision=self.revision + 1,
            undone_at=at,
            undone_by=by,
            undo_note=why,
            under_way=None,
            debit_groups=None,
            carried_to=None,
        )


def masked(account: str) -> str:
    """The number of an account as it may be shown: its country, and its end."""
    plain = "".join(account.split())
    if len(plain) <= 2 * SHOWN:
        return ".." + plain[-SHOWN:]
    return f"{plain[:2]}..{plain[-SHOWN:]}"
