"""What Mollie lists about money that it has collected: movements of its balances, and the settlements that pay them out.

Its balances and settlements are told to an access token of the organisation alone, never to the key that takes payments.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from mollie import models

from tallywatt.adapters.providers import mollie_views as views
from tallywatt.kernel.clock import Instant
from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.payments.settlement import LineKind, ToldLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Tree = dict[str, Any]

KINDS: Final = {
    "payment": LineKind.CHARGE,
    "capture": LineKind.CHARGE,
    "failed-payment": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "returned-refund": LineKind.REFUND,
    "chargeback": LineKind.DISPUTE,
    "chargeback-reversal": LineKind.DISPUTE,
    "outgoing-transfer": LineKind.PAYOUT,
    "outgoing-custom-amount-transfer": LineKind.PAYOUT,
    "canceled-outgoing-transfer": LineKind.PAYOUT,
    "canceled-transfer": LineKind.PAYOUT,
    "returned-transfer": LineKind.PAYOUT,
    "application-fee": LineKind.FEE,
    "balance-charge-fee": LineKind.FEE,
    "bank-charged-failure-fee": LineKind.FEE,
    "capture-commission": LineKind.FEE,
    "chargeback-compensation": LineKind.FEE,
    "failed-payment-fee": LineKind.FEE,
    "fee-prepayment": LineKind.FEE,
    "invoice-compensation": LineKind.FEE,
    "invoice-rounding-compensation": LineKind.FEE,
    "managed-fee": LineKind.FEE,
    "payment-commission": LineKind.FEE,
    "payment-fee": LineKind.FEE,
    "platform-connected-organizations-fee": LineKind.FEE,
    "refund-compensation": LineKind.FEE,
    "reimbursement-fee": LineKind.FEE,
    "returned-managed-fee": LineKind.FEE,
    "returned-refund-compensation": LineKind.FEE,
    "reversed-chargeback-compensation": LineKind.FEE,
}
"""The types of balance transactions (docs.mollie.com/reference/balance-transactions) as our kinds; others are `other`."""
OF_SETTLEMENTS: Final = ("list_payments", "list_captures", "list_refunds", "list_chargebacks")
AT_ONCE: Final = 250
MOST_PAGES: Final = 400


class TooMany(Exception):
    """More pages than one reading looks through."""


def pages(ask: Callable[[str | None], Any], name: str) -> Iterator[Tree]:
    """All rows of a list, page by page."""
    start: str | None = None
    for _ in range(MOST_PAGES):
        listed = ask(start)
        if listed is None:
            return
        tree = listed.result.model_dump(mode="json", by_alias=True, exclude_unset=True)
        yield from tree["_embedded"].get(name) or []
        link = tree["_links"].get("next")
        if not link:
            return
        start = parse_qs(urlsplit(link["href"]).query).get("from", [None])[0]
    raise TooMany(name)


def lines_since(client: Any, since: int) -> Iterator[ToldLine]:
    """Every movement of every balance since then, and every one of the settlements since then, however old it is."""
    paid_out, amounts, oldest = _settled(client, since)
    for balance in pages(lambda start: client.balances.list(from_=start, limit=AT_ONCE), "balances"):
        following = None
        for one in _transactions(client, balance["id"], oldest):
            line = line_of(one, paid_out, amounts)
            if line.kind is LineKind.PAYOUT:
                following = line.payout_ref
            elif line.kind in (LineKind.FEE, LineKind.OTHER) and line.payout_ref is None:
                # No settlement lists it: it lowers, or raises, what goes to the bank the next time.
                line = replace(line, payout_ref=following)
            yield line


def _transactions(client: Any, balance_id: str, since: int) -> Iterator[Tree]:
    def ask(start: str | None) -> Any:
        return client.balances.list_transactions(balance_id=balance_id, from_=start, limit=AT_ONCE)

    for one in pages(ask, "balance_transactions"):
        if (views.moment(one["createdAt"]) or 0) < since:
            return  # the newest come first
        yield one


def _settled(client: Any, since: int) -> tuple[dict[str, str], dict[str, Tree], int]:
    """The settlement of each object paid out since then, the object itself, and of when the oldest of them is."""
    paid_out: dict[str, str] = {}
    amounts: dict[str, Tree] = {}
    oldest = since

    def ask(start: str | None) -> Any:
        return client.settlements.list(from_=start, limit=AT_ONCE)

    for settlement in pages(ask, "settlements"):
        made = views.moment(settlement.get("createdAt"))
        if made is not None and made < since:
            break
        for question in OF_SETTLEMENTS:
            for one in _of(client, question, settlement["id"]):
                key = _key(one)
                paid_out[key], amounts[key] = settlement["id"], one
                oldest = min(oldest, views.moment(one["createdAt"]) or since)
    return paid_out, amounts, oldest


def _of(client: Any, question: str, settlement_id: str) -> Iterator[Tree]:
    def ask(start: str | None) -> Any:
        return getattr(client.settlements, question)(settlement_id=settlement_id, from_=start, limit=AT_ONCE)

    return pages(ask, question.removeprefix("list_"))


def _key(one: Tree) -> str:
    return f"{one['resource']}/{one['id']}"


def line_of(transaction: Tree, paid_out: dict[str, str], amounts: dict[str, Tree]) -> ToldLine:
    """A movement of a balance. A settlement tells in which currency it was paid, and when it goes to the bank."""
    kind = KINDS.get(transaction["type"], LineKind.OTHER)
    about = _context(transaction)
    amount = views.minor_of(transaction["initialAmount"])
    net = views.minor_of(transaction["resultAmount"])
    code = transaction["resultAmount"]["currency"]
    ref, keys = _source(transaction["type"], about)
    key = next((one for one in keys if one in paid_out), None)
    paid, paid_in = _as_paid(amounts.get(key or ""), amount, code, kind)
    return ToldLine(
        line_ref=transaction["id"],
        kind=kind,
        amount_minor=amount,
        # What is kept is what is left out, whether or not its parts are told.
        fee_minor=amount - net,
        currency=code,
        said_at=views.moment(transaction["createdAt"]) or Instant(0),
        source_minor=paid,
        source_currency=paid_in,
        source_ref=ref,
        provider_ref=about.get("paymentId"),
        payout_ref=about.get("settlementId") or (None if key is None else paid_out[key]),
    )


def _context(transaction: Tree) -> Tree:
    """What a movement is about: written flat in some answers, and under the name of its type in others."""
    told = transaction.get("context") or {}
    found: Tree = {}
    for name, value in told.items():
        found |= value if isinstance(value, dict) else {name: value}
    return found


def _source(kind: str, about: Tree) -> tuple[str | None, tuple[str, ...]]:
    """The object behind a movement, and by what its settlement lists it."""
    payment, capture = about.get("paymentId"), about.get("captureId")
    refund, chargeback = about.get("refundId"), about.get("chargebackId")
    if "chargeback" in kind:
        return chargeback, (f"chargeback/{chargeback}",)
    if "refund" in kind:
        return refund, (f"refund/{refund}",)
    if capture or payment:
        return capture or payment, (f"capture/{capture}", f"payment/{payment}")
    return about.get("settlementId") or about.get("invoiceId"), ()


def _as_paid(one: Tree | None, amount: int, code: str, kind: LineKind) -> tuple[int, str]:
    own = (one or {}).get("amount") or {}
    if one is None or own.get("currency") in (None, code) or kind in (LineKind.FEE, LineKind.PAYOUT, LineKind.OTHER):
        return amount, code
    return abs(views.minor_of(own)) * (1 if amount >= 0 else -1), own["currency"]


def disputes_since(client: Any, since: int, said_at: Instant) -> Iterator[ToldDispute]:
    """Every chargeback since then. It takes the money at once; its only way back is a reversal."""

    def ask(start: str | None) -> Any:
        return client.chargebacks.all(from_=start, limit=AT_ONCE, sort=models.Sorting.DESC)

    for one in pages(ask, "chargebacks"):
        if (views.moment(one["createdAt"]) or 0) < since:
            return
        yield told_dispute(one, said_at)


def told_dispute(one: Tree, said_at: Instant) -> ToldDispute:
    """A chargeback as it stands."""
    minor = abs(views.minor_of(one["amount"]))
    is_back = one.get("reversedAt") is not None
    reason = one.get("reason") or {}
    return ToldDispute(
        dispute_ref=one["id"],
        state=DisputeState.WON if is_back else DisputeState.LOST,
        amount_minor=minor,
        currency=one["amount"]["currency"],
        withdrawn_minor=0 if is_back else minor,
        reason=str(reason.get("code") or "general")[:80],
        said_at=said_at,
        provider_ref=one["paymentId"],
    )
