"""Pure: payments, operations, allocations, clearing entries and the books agree to the last minor unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from tallywatt.evidence.credits import compare_credits, replaced_by
from tallywatt.evidence.debits import compare_debits
from tallywatt.evidence.findings import Finding
from tallywatt.evidence.own_books import compare_own_books
from tallywatt.evidence.settled import compare_settlements, is_settled, settled_places
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.ledger.books import MOVING, RESOLVING, Phase
from tallywatt.payments.allocation import Target
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.payment import TOP_UP, PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.evidence.held import Held
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.ledger.books import Transfer
    from tallywatt.payments.allocation import Allocation
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.payment import Payment

TAKES = (OperationKind.CAPTURE, OperationKind.CHARGE)
WITHOUT_EFFECT = (OperationState.DECLINED, OperationState.FAILED, OperationState.NOT_SENT)
Sums = Counter[tuple[str, str, str]]
"""Minor units by kind of account, whose it is, and currency: debits less credits."""


def compare_payments(held: Held) -> list[Finding]:
    """What does not agree between payments, what was asked of providers, and what the money is for."""
    operations: dict[str, list[Operation]] = defaultdict(list)
    allocations: dict[str, list[Allocation]] = defaultdict(list)
    for operation in held.operations:
        operations[operation.payment_id].append(operation)
    for allocation in held.allocations:
        allocations[allocation.payment_id].append(allocation)
    found: list[Finding] = []
    asks: dict[str | None, int] = {row.invoice_id: row.gross_minor for row in held.invoices}
    before = replaced_by(held)
    for payment in held.payments:
        found += _asked(payment, operations[payment.payment_id])
        earlier = before.get(payment.invoice_id or "", ())
        found += _allocated(payment, allocations[payment.payment_id], asks.get(payment.invoice_id), earlier)
        if _is_forgotten(held, payment, operations[payment.payment_id]):
            says = f"{payment.authorised_minor} are held, and nothing waits for them"
            found.append(Finding("payment.hold_forgotten", payment.payment_id, says))
    return [*found, *_on_invoices(held)]


def _asked(payment: Payment, operations: list[Operation]) -> Iterator[Finding]:
    for kinds, name, moved in (
        (TAKES, "captured", payment.captured_minor),
        ((OperationKind.REFUND,), "refunded", payment.refunded_minor),
    ):
        asked = sum(one.amount_minor for one in operations if one.kind in kinds and one.state not in WITHOUT_EFFECT)
        if moved > asked:
            says = f"more was {name} than any operation asked for"
            yield Finding(f"payment.{name}_without_operation", payment.payment_id, says, str(asked), str(moved))


def _allocated(
    payment: Payment, allocations: list[Allocation], asked: int | None, earlier: tuple[str, ...]
) -> Iterator[Finding]:
    sums: Counter[Target] = Counter()
    for one in allocations:
        sums[one.target] += one.amount_minor
    # What was taken before its invoice was written is the payer's own: until there is one, or as far as it asks for less.
    on_invoice = sums[Target.INVOICE] + payment.refunded_minor
    own = payment.invoice_id is None or not sums[Target.BALANCE] or on_invoice >= (asked or 0)
    for one in allocations:
        if one.currency != payment.currency:
            yield Finding(
                "allocation.currency",
                one.allocation_id,
                "it is not in its payment's currency",
                payment.currency,
                one.currency,
            )
        wanted = _belongs_to(payment, one.target, own=own)
        if one.target is Target.INVOICE:
            wanted = (*wanted, *earlier)
        if one.target_id not in wanted:
            says = f"{one.target.value} {one.target_id} is not what payment {payment.payment_id} is for"
            yield Finding("allocation.moved", one.allocation_id, says, wanted[0] if wanted else None, one.target_id)
    for invoice_id in earlier:
        if left := sum(one.amount_minor for one in allocations if one.target_id == invoice_id):
            says = "it was collected for an invoice for which another one stands"
            yield Finding("allocation.left_behind", payment.payment_id, says, "0", str(left))
    expected = {
        "captured": (payment.captured_minor, sum(sums.values()) - sums[Target.SUSPENSE]),
        "suspense": (payment.suspense_minor, sums[Target.SUSPENSE]),
        "refunded": (payment.refunded_minor, sums[Target.REFUND_DUE]),
    }
    for name, (moved, told) in expected.items():
        if moved != told:
            says = f"what was {name} is not what its allocations say"
            yield Finding("payment.allocations", payment.payment_id, says, str(moved), str(told))


def _belongs_to(payment: Payment, target: Target, *, own: bool) -> tuple[str | None, ...]:
    """What the money of a payment may be for, by kind of target."""
    match target:
        case Target.INVOICE:
            return (payment.invoice_id,)
        case Target.BALANCE:
            return (payment.customer_id, payment.payment_id) if own else ()
        case _:
            return (payment.payment_id,)


def _is_forgotten(held: Held, payment: Payment, operations: list[Operation]) -> bool:
    """A card's hold must be on its way to an end: by a session, an operation, or a job that waits."""
    if payment.state is not PaymentState.AUTHORISED or payment.session_id is not None:
        return False
    return payment.payment_id not in held.waiting and not any(one.is_unresolved for one in operations)


def _on_invoices(held: Held) -> Iterator[Finding]:
    papers: dict[str, Invoice] = {row.invoice_id: row for row in held.invoices}
    collected: Counter[str] = Counter()
    for one in held.allocations:
        if one.target is Target.INVOICE:
            collected[one.target_id] += one.amount_minor
    for invoice_id, minor in sorted(collected.items()):
        paper = papers.get(invoice_id)
        if paper is None:
            yield Finding(
                "allocation.without_invoice", invoice_id, "money is allocated to an invoice that is not there"
            )
        elif not 0 <= minor <= paper.gross_minor:
            says = "more was collected for it than it asks"
            yield Finding("invoice.overpaid", paper.number, says, str(paper.gross_minor), str(minor))


def compare_books(held: Held) -> list[Finding]:
    """What does not agree between the books and what caused their entries."""
    codes = {account.account_id: account.code for account in held.accounts}
    transfers: dict[str, list[Transfer]] = defaultdict(list)
    for transfer in held.transfers:
        transfers[transfer.entry_id].append(transfer)
    return [
        *_entries(held, transfers),
        *_transfers(held, codes),
        *_billed(held, codes, transfers),
        *_collected(held, codes, transfers),
        *compare_settlements(held, codes, transfers),
        *compare_own_books(held, codes, transfers),
        *compare_debits(held, codes, transfers),
    ]


def _entries(held: Held, transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    causes = {("rated", row.rated_id) for row in held.results}
    payments = {row.payment_id for row in held.payments}
    received = {row.transfer_id for row in held.received}
    debits = {row.collection_id for row in held.debits}
    places = settled_places(held)
    seen: dict[tuple[str, str, str], str] = {}
    for entry in sorted(held.entries, key=lambda one: (one.booked_at, one.entry_id)):
        cause = (entry.kind, entry.cause_kind, entry.cause_id)
        if cause in seen:
            yield Finding("entry.doubled", entry.entry_id, f"the same was booked as {seen[cause]}")
        seen.setdefault(cause, entry.entry_id)
        known = (
            (entry.cause_kind, entry.cause_id) in causes
            or (entry.cause_kind in ("payment", "hold") and entry.cause_id.partition("/")[0] in payments)
            or (entry.kind, entry.cause_kind) == ("balance_paid_out", "bank_payout")
            or (entry.cause_kind == "bank_transfer" and entry.cause_id.partition("/")[0] in received)
            or (entry.cause_kind == "debit" and entry.cause_id.partition("/")[0] in debits)
            or is_settled(entry, places)
        )
        if not known:
            yield Finding("entry.without_cause", entry.entry_id, f"{entry.cause_kind} {entry.cause_id} is not there")
    there = {entry.entry_id for entry in held.entries}
    for entry_id in sorted(set(transfers) - there):
        yield Finding("transfer.without_entry", entry_id, "transfers belong to an entry that is not there")


def _transfers(held: Held, codes: dict[str, str]) -> Iterator[Finding]:
    by_id = {row.transfer_id: row for row in held.transfers}
    currencies = {account.account_id: account.currency for account in held.accounts}
    resolved: Counter[str] = Counter()
    for row in held.transfers:
        sides = (row.debit_account_id, row.credit_account_id)
        if any(side not in codes or currencies[side] != row.currency for side in sides) or sides[0] == sides[1]:
            yield Finding("transfer.unbalanced", row.transfer_id, "it is not between two accounts of its currency")
        if row.phase in RESOLVING:
            pending = by_id.get(row.pending_id or "")
            resolved[row.pending_id or ""] += 1
            if pending is None or pending.phase is not Phase.PENDING or row.amount_minor > pending.amount_minor:
                yield Finding(
                    "transfer.resolves_nothing", row.transfer_id, "what it resolves is not pending, or is less"
                )
    for pending_id, times in resolved.items():
        if times > 1:
            yield Finding("transfer.resolved_twice", pending_id, "a pending transfer was resolved more than once")
    yield from _counters(held)


def _counters(held: Held) -> Iterator[Finding]:
    debits: Counter[str] = Counter()
    credited: Counter[str] = Counter()
    for row in held.transfers:
        if row.phase in MOVING:
            debits[row.debit_account_id] += row.amount_minor
            credited[row.credit_account_id] += row.amount_minor
    for account in held.accounts:
        summed = (debits[account.account_id], credited[account.account_id])
        kept = (account.debits_posted, account.credits_posted)
        if account.constrained and kept != summed:
            yield Finding(
                "account.counters",
                account.code,
                "its counters are not the sums of its transfers",
                str(summed),
                str(kept),
            )


def _booked(codes: dict[str, str], rows: list[Transfer]) -> Counter[str]:
    """Debits less credits of some transfers, by account."""
    sums: Counter[str] = Counter()
    for row in rows:
        if row.phase in MOVING:
            sums[codes.get(row.debit_account_id, "?")] += row.amount_minor
            sums[codes.get(row.credit_account_id, "?")] -= row.amount_minor
    return sums


def _billed(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    entries: dict[str, list[Transfer]] = defaultdict(list)
    for entry in held.entries:
        if entry.kind == "session_billed":
            entries[entry.cause_id] += transfers[entry.entry_id]
    papers = [row for row in held.invoices if row.kind is InvoiceKind.INVOICE]
    for paper in papers:
        sums = _booked(codes, entries.pop(paper.rated_id, []))
        owed = f"receivable/{paper.payer.value}/{paper.payer_id or 'unknown'}"
        taxes = -sum(minor for code, minor in sums.items() if code.startswith("tax/"))
        booked = (sums[owed], -sums["revenue"], taxes)
        wanted = (paper.gross_minor, paper.net_minor, paper.tax_minor)
        if booked != wanted or sum(sums.values()) != 0:
            says = "what is booked as owed, revenue and tax is not what it asks"
            yield Finding("invoice.books", paper.number, says, str(wanted), str(booked))
    yield from compare_credits(held, codes, transfers)
    for rated_id, rows in sorted(entries.items()):
        if rows:
            yield Finding("entry.without_invoice", rated_id, "revenue is booked for a result that no invoice carries")


def _collected(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    kinds: dict[tuple[str, str], list[Transfer]] = defaultdict(list)
    for entry in held.entries:
        if entry.cause_kind == "payment":
            kinds[entry.cause_id.partition("/")[0], entry.kind] += transfers[entry.entry_id]
    for payment in held.payments:
        place = f"clearing/{payment.account_id}"
        booked = {
            "payment_captured": payment.captured_minor + payment.lost_minor,
            "payment_taken_back": -payment.lost_minor,
            "payment_refunded": -payment.refunded_minor,
            "payment_surplus": payment.suspense_minor,
        }
        for kind, wanted in booked.items():
            sums = _booked(codes, kinds[payment.payment_id, kind])
            if sums[place] != wanted:
                says = f"the clearing account does not show its {kind.removeprefix('payment_')} money"
                yield Finding("payment.books", payment.payment_id, says, str(wanted), str(sums[place]))


SUMS: Final = ("billed_minor", "captured_minor", "refunded_minor", "suspense_minor", "owed_minor", "on_account_minor")


def money_of(held: Held) -> dict[str, dict[str, int]]:
    """The sums by currency: billed, captured, refunded, in suspense, owed, and the part of that which was bought on invoice."""
    found: dict[str, dict[str, int]] = {}

    def add(currency: str, name: str, minor: int) -> None:
        sums = found.setdefault(
            currency,
            dict.fromkeys(SUMS, 0),
        )
        sums[name] += minor

    add(held.currency, "billed_minor", 0)
    for paper in held.invoices:
        sign = 1 if paper.kind is InvoiceKind.INVOICE else -1
        add(paper.currency, "billed_minor", sign * paper.gross_minor)
        add(paper.currency, "owed_minor", sign * paper.gross_minor)
    for payment in held.payments:
        if payment.purpose != TOP_UP:
            add(payment.currency, "captured_minor", payment.captured_minor)
            add(payment.currency, "refunded_minor", payment.refunded_minor)
        add(payment.currency, "suspense_minor", payment.suspense_minor)
    for one in held.allocations:
        if one.target is Target.INVOICE:
            add(one.currency, "owed_minor", -one.amount_minor)
    for item in held.holds:
        # What is bought on invoice has come in when it is paid, not when it is taken.
        add(item.currency, "captured_minor", -item.open_minor)
        add(item.currency, "owed_minor", item.open_minor)
        add(item.currency, "on_account_minor", item.open_minor)
    return found
