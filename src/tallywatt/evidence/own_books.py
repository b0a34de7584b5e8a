"""Pure: customers' accounts in our own books: balances, holds, open items and transfers agree with the entries.

It works everything out from the transfers of the books and from the payments, and shares no code with what writes them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tallywatt.evidence.findings import Finding
from tallywatt.ledger.books import MOVING, RESOLVING, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.evidence.held import Held
    from tallywatt.ledger.books import Transfer
    from tallywatt.payments.own_books import CustomerHold

OURS = {"prepaid": "prepaid/customer/", "invoice": "on_account/customer/"}


def compare_own_books(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    """What does not agree between what is held or taken of customers' accounts and the books."""
    waiting = _waiting(held)
    entries: dict[str, list[Transfer]] = defaultdict(list)
    for entry in held.entries:
        if entry.cause_kind == "hold":
            entries[entry.cause_id.partition("/")[0]] += transfers[entry.entry_id]
    payments = {row.payment_id: row for row in held.payments}
    for one in held.holds:
        yield from _hold(one, codes, entries.pop(one.payment_id, []), waiting)
        payment = payments.get(one.payment_id)
        if payment is None or payment.captured_minor > one.taken_minor or payment.refunded_minor > one.returned_minor:
            yield Finding("hold.payment", one.payment_id, "its payment says more than was taken or given back")
        elif one.provider == "invoice" and one.state.value == "taken" and one.invoice_id != payment.invoice_id:
            says = "the invoice of the open item is not the one that its payment is for"
            yield Finding("item.invoice", one.payment_id, says, str(payment.invoice_id), str(one.invoice_id))
    for payment_id in sorted(entries):
        yield Finding("hold.missing", payment_id, "entries took from a customer's account, and the hold is not there")
    yield from _balances(held, waiting)
    yield from _received(held, codes, transfers)
    yield from _lines(held)


def _waiting(held: Held) -> dict[str, Transfer]:
    """Pending transfers that nothing has ended."""
    ended = {row.pending_id for row in held.transfers if row.phase in RESOLVING}
    return {
        row.transfer_id: row for row in held.transfers if row.phase is Phase.PENDING and row.transfer_id not in ended
    }


def _hold(
    one: CustomerHold, codes: dict[str, str], rows: list[Transfer], waiting: dict[str, Transfer]
) -> Iterator[Finding]:
    own = OURS[one.provider] + one.customer_id
    taken = returned = 0
    for row in rows:
        if row.phase in MOVING:
            taken += row.amount_minor if codes.get(row.debit_account_id) == own else 0
            returned += row.amount_minor if codes.get(row.credit_account_id) == own else 0
    if (taken, returned) != (one.taken_minor, one.returned_minor):
        says = "what it took and gave back is not what the books say"
        told = (one.taken_minor, one.returned_minor)
        yield Finding("hold.books", one.payment_id, says, str((taken, returned)), str(told))
    pending = sum(row.amount_minor for row in rows if row.transfer_id in waiting)
    wanted = one.held_minor if one.state.value == "held" else 0
    if pending != wanted:
        says = "what it holds is not what waits in the books"
        yield Finding("hold.pending", one.payment_id, says, str(pending), str(wanted))


def _balances(held: Held, waiting: dict[str, Transfer]) -> Iterator[Finding]:
    """A balance is the sum of its entries, and no more is held of it than it is."""
    moved: Counter[str] = Counter()
    for row in held.transfers:
        if row.phase in MOVING:
            moved[row.credit_account_id] += row.amount_minor
            moved[row.debit_account_id] -= row.amount_minor
    kept: Counter[str] = Counter()
    for row in waiting.values():
        kept[row.debit_account_id] += row.amount_minor
    for account in held.accounts:
        if not account.code.startswith("prepaid/"):
            continue
        balance, pending = moved[account.account_id], kept[account.account_id]
        if balance < 0 or pending > balance:
            says = "more is used or held of the balance than was paid in"
            yield Finding("balance.overdrawn", account.code, says, str(balance), str(pending))
        if account.debits_pending != pending:
            says = "what its counters say is held is not what waits in the books"
            yield Finding("balance.pending", account.code, says, str(pending), str(account.debits_pending))


def _received(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    """What came by bank is in the books once, and is for what its parts say."""
    booked = _at_bank(held, codes, transfers)
    by_transfer: Counter[str] = Counter()
    by_item: Counter[str] = Counter()
    for part in held.parts:
        by_transfer[part.transfer_id] += part.amount_minor
        by_item[part.payment_id] += part.amount_minor
    for one in held.received:
        came = one.amount_minor if one.returned_at is None else 0
        if booked[one.transfer_id] != came:
            says = "what is booked of it is not what came and stayed"
            yield Finding("transfer.books", one.transfer_id, says, str(came), str(booked[one.transfer_id]))
        used = came - one.left_minor if one.target.value == "items" else 0
        if by_transfer[one.transfer_id] != used:
            says = "what it was used for is not what its parts say"
            yield Finding("transfer.parts", one.transfer_id, says, str(by_transfer[one.transfer_id]), str(used))
    for item in held.holds:
        if by_item[item.payment_id] != item.settled_minor:
            says = "what was paid of it is not what transfers brought"
            yield Finding("item.settled", item.payment_id, says, str(by_item[item.payment_id]), str(item.settled_minor))


def _lines(held: Held) -> Iterator[Finding]:
    """A line that is a transfer, or its return, is of that sum, and there is no second one."""
    received = {one.transfer_id: one for one in held.received}
    lines = Counter((row.transfer_id, row.amount_minor > 0) for row in held.banked if row.transfer_id is not None)
    for line in held.banked:
        if (line.state.value == "transfer") != (line.transfer_id is not None):
            yield Finding("bank.other_transfer", line.line_id, "it says that it is a transfer, and not which")
        if line.transfer_id is None:
            continue
        one = received.get(line.transfer_id)
        if one is None or (abs(line.amount_minor), line.currency) != (one.amount_minor, one.currency):
            says = "the transfer that it is said to be is not there, or is another sum"
            yield Finding("bank.other_transfer", line.line_id, says)
        elif (line.amount_minor < 0 and one.returned_at is None) or lines[line.transfer_id, line.amount_minor > 0] > 1:
            yield Finding("bank.other_transfer", line.line_id, "it is a transfer that is told otherwise")


def _at_bank(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Counter[str]:
    """What each transfer has brought to the bank by the books."""
    booked: Counter[str] = Counter()
    for entry in held.entries:
        if entry.cause_kind == "bank_transfer":
            for row in transfers[entry.entry_id]:
                if row.phase in MOVING:
                    booked[entry.cause_id] += row.amount_minor * (codes.get(row.debit_account_id) == "bank")
                    booked[entry.cause_id] -= row.amount_minor * (codes.get(row.credit_account_id) == "bank")
    return booked
