"""Pure: what providers list, what a person has booked about it, and the books agree; and no difference is kept quiet."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tallywatt.evidence.findings import Finding
from tallywatt.ledger.books import MOVING
from tallywatt.payments.dispute import DisputeState
from tallywatt.payments.operation import OperationKind, OperationState
from tallywatt.payments.settlement import DifferenceKind, LineKind, LineState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.evidence.held import Held
    from tallywatt.ledger.books import Entry, Transfer
    from tallywatt.payments.payment import Payment
    from tallywatt.payments.settlement import SettlementDifference, SettlementLine

Places = Counter[tuple[str, str]]
"""Minor units by kind of account and currency: debits less credits."""


def settled_places(held: Held) -> frozenset[str]:
    """What entries of settlements begin with: the lines and the differences that are there."""
    lines = {f"settlement {one.account_id}/{one.line_ref}/" for one in held.settled}
    decided = {f"difference {one.difference_id}/" for one in held.differences}
    arrived = {f"bank_line {one.line_id}/" for one in held.banked if one.settlement_ref is not None or one.revision}
    return frozenset(lines | decided | arrived | {f"dispute {one.dispute_id}/" for one in held.disputes})


def is_settled(entry: Entry, places: frozenset[str]) -> bool:
    """Whether an entry belongs to a line or a difference that is there."""
    return _place(entry) in places


def _place(entry: Entry) -> str:
    if entry.cause_kind == "settlement":
        # Of `account/line/revision/currency`.
        return f"settlement {entry.cause_id.rsplit('/', 2)[0]}/"
    return f"{entry.cause_kind} {entry.cause_id.partition('/')[0]}/"


def compare_settlements(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    """What does not agree between settlement lines, payments, differences and the books."""
    booked: dict[str, list[Transfer]] = defaultdict(list)
    for entry in held.entries:
        if entry.cause_kind in ("settlement", "difference", "dispute", "bank_line"):
            booked[_place(entry)] += transfers[entry.entry_id]
    for line in held.settled:
        moved = _moved(codes, booked[f"settlement {line.account_id}/{line.line_ref}/"])
        if moved != _wanted(line):
            says = "what is booked of it is not what the provider lists"
            yield Finding("settlement.books", line.line_ref, says, str(_plain(_wanted(line))), str(_plain(moved)))
    for one in held.differences:
        moved = _moved(codes, booked[f"difference {one.difference_id}/"])
        if moved["differences", one.currency] != _share(one):
            says = "what is booked of it is not what a person has decided"
            found = str(moved["differences", one.currency])
            yield Finding("difference.books", one.difference_id, says, str(_share(one)), found)
    for dispute in held.disputes:
        moved = _moved(codes, booked[f"dispute {dispute.dispute_id}/"])
        gone = "losses" if dispute.state is DisputeState.LOST else "disputed"
        if (moved[gone, dispute.currency], -moved["clearing", dispute.currency]) != (dispute.withdrawn_minor,) * 2:
            says = "what is booked of it is not what the bank has taken back"
            yield Finding("dispute.books", dispute.dispute_id, says, str(dispute.withdrawn_minor), str(_plain(moved)))
    yield from _arrived(held, {place: _moved(codes, rows) for place, rows in booked.items()})
    yield from _unlisted(held)


def _arrived(held: Held, moved: dict[str, Places]) -> Iterator[Finding]:
    """A payout is at the bank once, with its own sum, and as its entry says."""
    payouts = {(one.account_id, one.line_ref): one for one in held.settled if one.kind is LineKind.PAYOUT}
    for line in held.banked:
        if line.account_id is None or line.settlement_ref is None:
            left = _plain(moved.get(f"bank_line {line.line_id}/", Counter()))
            if left:
                yield Finding(
                    "bank.books", line.line_id, "it is no payout, and something is booked of it", "0", str(left)
                )
            continue
        payout = payouts.get((line.account_id, line.settlement_ref))
        if payout is None or (payout.currency, -payout.amount_minor) != (line.currency, line.amount_minor):
            yield Finding(
                "bank.other_payout", line.line_id, "the payout that it is said to be is not there, or is another sum"
            )
        sums = moved.get(f"bank_line {line.line_id}/", Counter())
        if (sums["bank", line.currency], -sums["transit", line.currency]) != (line.amount_minor,) * 2:
            says = "what is booked of it is not what came in"
            yield Finding("bank.books", line.line_id, says, str(line.amount_minor), str(_plain(sums)))


def _plain(places: Places) -> dict[str, int]:
    return {f"{kind} {code}": minor for (kind, code), minor in sorted(places.items()) if minor}


def _moved(codes: dict[str, str], rows: list[Transfer]) -> Places:
    sums: Places = Counter()
    for row in rows:
        if row.phase in MOVING:
            sums[codes.get(row.debit_account_id, "?").partition("/")[0], row.currency] += row.amount_minor
            sums[codes.get(row.credit_account_id, "?").partition("/")[0], row.currency] -= row.amount_minor
    return sums


def _wanted(line: SettlementLine) -> Places:
    """What a line does to the books, worked out anew: gross, fee and net of one movement."""
    sums: Places = Counter()
    unit = line.currency
    sums["fees", unit] += line.fee_minor
    sums["clearing", unit] -= line.fee_minor
    against = _against(line)
    if against is not None:
        sums["clearing", unit] += line.amount_minor
        sums[against, unit] -= line.amount_minor
    if against == "exchange":
        sums["clearing", line.source_currency] -= line.source_minor
        sums["exchange", line.source_currency] += line.source_minor
    return sums


def _against(line: SettlementLine) -> str | None:
    if line.kind is LineKind.PAYOUT:
        return "transit"
    if line.kind is LineKind.FEE:
        return "fees"
    if line.state is LineState.EXTRA:
        return "suspense"
    return "exchange" if line.currency != line.source_currency else None


def _share(one: SettlementDifference) -> int:
    return one.booked_minor if one.kind is DifferenceKind.REFUNDED else -one.booked_minor


def _unlisted(held: Held) -> Iterator[Finding]:
    """A payment and its lines that differ without a row that says so: somebody took the row away."""
    listed = {(one.kind, one.subject_ref): one for one in held.differences}
    payments: dict[str, Payment] = {row.payment_id: row for row in held.payments}
    sums: Counter[tuple[str, LineKind]] = Counter()
    for line in held.settled:
        if line.payment_id is not None and line.payment_id not in payments:
            yield Finding("settlement.without_payment", line.line_ref, f"payment {line.payment_id} is not there")
        if line.state is LineState.EXTRA and (DifferenceKind.EXTRA, line.line_ref) not in listed:
            yield Finding("settlement.unlisted", line.line_ref, "it is nothing of ours, and nobody is told")
        if line.payment_id is not None:
            sums[line.payment_id, line.kind] += line.source_minor
    awaited, to_come = _awaited(held), _refunds_to_come(held)
    for (payment_id, kind), minor in sorted(sums.items()):
        payment = payments.get(payment_id)
        if payment is None or kind not in (LineKind.CHARGE, LineKind.REFUND):
            continue
        taken = kind is LineKind.CHARGE
        ours = payment.captured_minor + payment.suspense_minor if taken else -payment.refunded_minor
        kind_of = DifferenceKind.CHARGED if taken else DifferenceKind.REFUNDED
        open_minor = awaited[payment_id] if taken else 0
        if not taken and payment_id in to_come:
            continue
        if ours not in (minor, minor + open_minor) and (kind_of, payment_id) not in listed:
            says = "the provider lists another sum for it, and nobody is told"
            yield Finding("settlement.unlisted", payment_id, says, str(ours), str(minor))


def _awaited(held: Held) -> Counter[str]:
    """Minor units by payment that were taken in parts of which no line tells yet: each part is settled in its own time."""
    told = {line.operation_id for line in held.settled if line.operation_id is not None}
    in_parts = {payment.payment_id for payment in held.payments if payment.several_captures}
    sums: Counter[str] = Counter()
    for one in held.operations:
        is_taken = one.kind is OperationKind.CAPTURE and one.state is OperationState.SUCCEEDED
        if is_taken and one.payment_id in in_parts and one.operation_id not in told:
            sums[one.payment_id] += one.amount_minor
    return sums


def _refunds_to_come(held: Held) -> set[str]:
    """Payments of which more was refunded than lines tell, and fewer lines tell of it than there were refunds."""
    lines: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for line in held.settled:
        if line.kind is LineKind.REFUND and line.payment_id is not None:
            lines[line.payment_id] += 1
            told[line.payment_id] -= line.source_minor
    done: Counter[str] = Counter(
        one.payment_id
        for one in held.operations
        if one.kind is OperationKind.REFUND and one.state is OperationState.SUCCEEDED
    )
    refunded: dict[str, int] = {payment.payment_id: payment.refunded_minor for payment in held.payments}
    return {one for one in lines if lines[one] < done[one] and told[one] < refunded.get(one, 0)}
