"""What Stripe lists about money that it has collected: balance transactions, and the payouts in which they go to the bank."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.adapters.providers import stripe_views as views
from tallywatt.kernel.clock import Instant
from tallywatt.payments.settlement import LineKind, ToldLine

if TYPE_CHECKING:
    from collections.abc import Iterator

Tree = dict[str, Any]

KINDS: Final = {
    "charge": LineKind.CHARGE,
    "payment": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND,
    "payment_failure_refund": LineKind.REFUND,
    "stripe_fee": LineKind.FEE,
    "stripe_fx_fee": LineKind.FEE,
    "tax_fee": LineKind.FEE,
    "network_cost": LineKind.FEE,
    "payout": LineKind.PAYOUT,
    "payout_cancel": LineKind.PAYOUT,
    "payout_failure": LineKind.PAYOUT,
}
"""The types of balance transactions (docs.stripe.com/reports/balance-transaction-types) as our kinds; others are `other`."""
DISPUTES: Final = ("dispute", "dispute_reversal")
"""Reporting categories of adjustments that are disputes."""
AT_ONCE: Final = 100


def lines_since(client: Any, since: int) -> Iterator[ToldLine]:
    """Every movement since a Unix time, and every one of the payouts since then, however old it is."""
    made = {"created": {"gte": since}, "limit": AT_ONCE}
    paid_out: set[str] = set()
    for payout in client.payouts.list(made).auto_paging_iter():
        listed = {"payout": payout.id, "limit": AT_ONCE, "expand": ["data.source"]}
        for one in client.balance_transactions.list(listed).auto_paging_iter():
            paid_out.add(one.id)
            yield line_of(one.to_dict(), payout.id)
    for one in client.balance_transactions.list({**made, "expand": ["data.source"]}).auto_paging_iter():
        if one.id not in paid_out:
            yield line_of(one.to_dict())


def line_of(transaction: Tree, payout_ref: str | None = None) -> ToldLine:
    """A balance transaction with its source."""
    source = transaction.get("source")
    behind: Tree = source if isinstance(source, dict) else {}
    source_ref = behind.get("id") if behind else source
    kind = kind_of(transaction)
    if kind is LineKind.PAYOUT and transaction["amount"] < 0:
        # A payout that came back is a line of the next one; one that went out belongs to itself.
        payout_ref = source_ref
    intent = behind.get("payment_intent")
    amount, currency = transaction["amount"], transaction["currency"].upper()
    paid, paid_in = _as_paid(transaction, behind, kind)
    return ToldLine(
        line_ref=transaction["id"],
        kind=kind,
        amount_minor=amount,
        fee_minor=transaction["fee"],
        currency=currency,
        said_at=Instant(transaction["created"] * 1000),
        source_minor=paid,
        source_currency=paid_in,
        source_ref=source_ref,
        payment_id=views.payment_of(behind),
        provider_ref=intent["id"] if isinstance(intent, dict) else intent,
        exchange_rate=None if transaction.get("exchange_rate") is None else str(transaction["exchange_rate"]),
        payout_ref=payout_ref,
    )


def kind_of(transaction: Tree) -> LineKind:
    """What a balance transaction is to us."""
    if transaction.get("reporting_category") in DISPUTES:
        return LineKind.DISPUTE
    return KINDS.get(transaction["type"], LineKind.OTHER)


def _as_paid(transaction: Tree, behind: Tree, kind: LineKind) -> tuple[int, str]:
    """The sum in the currency of the payment: the object behind a converted line has it, a line that is not has it itself."""
    amount, currency = transaction["amount"], transaction["currency"]
    own = (behind.get("currency") or currency).lower()
    if own == currency.lower() or kind not in (LineKind.CHARGE, LineKind.REFUND, LineKind.DISPUTE):
        return amount, currency.upper()
    moved = behind.get("amount_captured") if kind is LineKind.CHARGE else behind.get("amount")
    rate = transaction.get("exchange_rate")
    if kind is LineKind.CHARGE and rate and views.can_be_in_parts(behind):
        # The charge tells the sum of all its captures: one of them is what was exchanged into this line.
        moved = int((Decimal(amount) / Decimal(str(rate))).quantize(Decimal(1), ROUND_HALF_EVEN))
    return (abs(int(moved or 0)) * (1 if amount >= 0 else -1)), own.upper()
