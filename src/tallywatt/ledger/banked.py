"""Pure: what a matched line of a bank statement does to the books: a payout has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.ledger.chart import BANK, transit
from tallywatt.ledger.settled import Move

if TYPE_CHECKING:
    from tallywatt.payments.bank import BankLine


def move_of(line: BankLine) -> Move:
    """From what is on its way to what is at the bank; below zero it goes back."""
    assert line.account_id is not None, "only a payout is booked"
    return Move(line.currency, BANK, transit(line.account_id), line.amount_minor)
