"""Pure: Adyen's report files: what was settled in a batch, and every step of every payment (docs.adyen.com/reporting).

The direction of a row comes from its type where the type has one: in some files the columns of debit and credit are swapped.
The fee is what the net is less than the gross, so that a line always moves what the batch moves.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallywatt.adapters.providers.adyen_views import CHARGE, PROVIDER, SETUP, modified, ours
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, UnknownCurrency
from tallywatt.kernel.money import currency
from tallywatt.payments.capabilities import hold_seconds
from tallywatt.payments.codes import CAPTURE_LOST
from tallywatt.payments.provider import RefundView, Trace, View, ViewStatus
from tallywatt.payments.report import Report
from tallywatt.payments.settlement import LineKind, ToldLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = dict[str, str]

SETTLED: Final = ("Type", "Psp Reference", "Modification Reference", "Net Currency", "Batch Number", "Creation Date")
ACCOUNTED: Final = ("Record Type", "Psp Reference", "Merchant Reference", "Main Amount")
"""The columns by which each kind of file is known."""
KINDS: Final = {
    "Settled": (LineKind.CHARGE, 1),
    "SettledBulk": (LineKind.CHARGE, 1),
    "SettledInInstallments": (LineKind.CHARGE, 1),
    "Refunded": (LineKind.REFUND, -1),
    "RefundedBulk": (LineKind.REFUND, -1),
    "RefundedReversed": (LineKind.REFUND, 1),
    "Chargeback": (LineKind.DISPUTE, -1),
    "SecondChargeback": (LineKind.DISPUTE, -1),
    "ChargebackReversed": (LineKind.DISPUTE, 1),
    "Fee": (LineKind.FEE, 0),
    "MiscCosts": (LineKind.FEE, 0),
    "PaymentCost": (LineKind.FEE, 0),
    "InvoiceDeduction": (LineKind.FEE, 0),
    "MerchantPayout": (LineKind.PAYOUT, 0),
    "MerchantPayin": (LineKind.PAYOUT, 0),
    "BankInstructionReturned": (LineKind.PAYOUT, 0),
    # What one batch hands on to the next leaves the one and comes into the other, like a payout that is still on its way.
    "Balancetransfer": (LineKind.PAYOUT, 0),
}
"""Types of rows as our kinds, with the direction where the type has one; others are `other`, and a person looks."""
COSTS: Final = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)", "Payment Fees (NC)")
NOT_TAKEN: Final = ("Refused", "Error")
"""How an attempt ends that moves nothing."""
ELSEWHERE: Final = ("SettledExternally", "RefundedExternally", "ChargebackExternally", "SettledExternallyWithInfo")
"""Money that never touches this balance."""
LONGEST: Final = 80
SKEW: Final = timedelta(days=2)
_OFFSETS: Final = {
    "": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "EST": -5,
    "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "SGT": 8, "JST": 9, "AEST": 10, "AEDT": 11,
}  # fmt: skip
"""Hours before UTC of the abbreviations that it writes."""
MOST_GAPS: Final = 9
_BATCH: Final = re.compile(r"(?P<merchant>.+)/batch/(?P<number>\d{1,9})")


def report_of(content: bytes, merchant: str, account_id: str | None = None) -> Report:
    """What a file tells about one merchant account; BadInput for what is none of its reports."""
    rows = _rows(content)
    names = set(rows[0]) if rows else set()
    if names.issuperset(SETTLED):
        return _settlement(_mine(rows, merchant), merchant)
    if names.issuperset(ACCOUNTED):
        return payments_of(_mine(rows, merchant), account_id)
    msg = "it is neither a settlement details report nor a payments accounting report, or it has no rows"
    raise _unreadable(msg)


def joined(contents: Iterable[bytes], merchant: str, account_id: str | None = None) -> Report:
    """What several files about payments tell together; the same row twice counts once."""
    seen: dict[tuple[str, ...], Row] = {}
    for content in contents:
        counts: dict[tuple[str, ...], int] = {}
        for row in _mine(_rows(content), merchant):
            if not set(row).issuperset(ACCOUNTED):
                msg = "it is no payments accounting report"
                raise _unreadable(msg)
            key = tuple(row.values())
            counts[key] = counts.get(key, 0) + 1
            # Two partial captures of the same sum in one second are two rows of one file.
            seen[*key, str(counts[key])] = row
    return payments_of(list(seen.values()), account_id)


def batch_ref(merchant: str, number: int) -> str:
    """The payout of a batch."""
    return f"{merchant}/batch/{number}"


def batches_to_come(payout_refs: Iterable[str], merchant: str) -> list[int]:
    """Numbers of batches of which nothing is known, though of one before: the next one, then gaps, newest first; at most ten.

    Which batch is the first of ours is not known: its notification tells, or a person who gives the file.
    """
    found = (_BATCH.fullmatch(ref) for ref in payout_refs)
    known = {int(one["number"]) for one in found if one and one["merchant"] == merchant}
    if not known:
        return []
    last = max(known)
    gaps = (number for number in range(last - 1, min(known), -1) if number not in known)
    return [last + 1, *islice(gaps, MOST_GAPS)]


def _unreadable(why: str) -> BadInput:
    return BadInput(f"this report cannot be read: {why}", code="report.unreadable")


def _rows(content: bytes) -> list[Row]:
    try:
        text = content.decode("utf-8-sig")
        read = csv.reader(io.StringIO(text, newline=""), strict=True)
        head = [name.strip() for name in next(read, [])]
        if len(set(head) - {""}) != len([one for one in head if one]):
            msg = "a column stands in it twice"
            raise _unreadable(msg)
        rows = []
        for number, values in enumerate(read, start=2):
            if not any(one.strip() for one in values):
                continue
            if len(values) != len(head):
                msg = f"line {number} has {len(values)} fields and not {len(head)}"
                raise _unreadable(msg)
            rows.append({name: one.strip() for name, one in zip(head, values, strict=True)} | {"#": str(number)})
    except UnicodeDecodeError as error:
        msg = "it is not UTF-8"
        raise _unreadable(msg) from error
    except csv.Error as error:
        raise _unreadable(str(error)) from error
    return rows


def _mine(rows: list[Row], merchant: str) -> list[Row]:
    """The rows of this merchant account: a company's file has others too. No row of it at all is somebody else's file."""
    mine = [
        {name: one for name, one in row.items() if name != "#"}
        for row in rows
        if row.get("Merchant Account") == merchant
    ]
    if not mine:
        msg = f"this report says nothing about the merchant account {merchant}"
        raise BadInput(
            msg,
            code="report.other_account",
            remedy="give it to the provider account that it belongs to",
        )
    return mine


def _zone(name: str) -> tzinfo:
    if name in _OFFSETS:
        return timezone(timedelta(hours=_OFFSETS[name]))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = f"nobody here knows the time zone {name[:40]!r}"
        raise _unreadable(msg) from error


def _moment(row: Row, column: str) -> Instant:
    text = row.get(column) or ""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{column} is no moment: {text[:40]!r}"
        raise _unreadable(msg) from error
    if not read.tzinfo:
        read = read.replace(tzinfo=_zone(row.get("TimeZone") or row.get("Booking Date TimeZone") or ""))
    return Instant(int(read.timestamp() * 1000))


def _minor(row: Row, column: str, code: str) -> int:
    text = row.get(column) or "0"
    try:
        value = Decimal(text).scaleb(currency(code).exponent)
    except InvalidOperation as error:
        msg = f"{column} is no sum: {text[:40]!r}"
        raise _unreadable(msg) from error
    if not value.is_finite() or value != value.to_integral_value() or abs(value) >= 2**53:
        msg = f"{column} is no sum in {code}: {text[:40]!r}"
        raise _unreadable(msg)
    return int(value)


def _text(row: Row, column: str) -> str:
    found = row.get(column) or ""
    if len(found) > LONGEST or not found.isprintable():
        msg = f"{column} is too long, or is no text"
        raise _unreadable(msg)
    return found


# --- settlements ---


def _settlement(rows: list[Row], merchant: str) -> Report:
    counts: dict[str, int] = {}
    lines = [_line(row, merchant, counts) for row in rows if row["Type"] not in ELSEWHERE]
    if not lines:
        msg = "nothing in it touches the balance"
        raise _unreadable(msg)
    times = [one.said_at for one in lines if one.kind is LineKind.CHARGE] or [one.said_at for one in lines]
    return Report(tuple(lines), (), min(times), max(times), rows[0].get("TimeZone", ""), is_of_payments=False)


def _line(row: Row, merchant: str, counts: dict[str, int]) -> ToldLine:
    kind, direction = KINDS.get(row["Type"], (LineKind.OTHER, 0))
    if not row["Batch Number"].isdigit():
        msg = f"a batch has a number, not {row['Batch Number'][:40]!r}"
        raise _unreadable(msg)
    batch = batch_ref(merchant, int(row["Batch Number"]))
    psp, changed = _text(row, "Psp Reference"), _text(row, "Modification Reference")
    name = f"{batch}/{_text(row, 'Type')}/{changed or psp or 'all'}"
    # A batch is closed when its file is written: what stands in it more than once always stands there in the same order.
    counts[name] = counts.get(name, 0) + 1
    code = _code(row, "Net Currency")
    paid_in = _code(row, "Gross Currency") if row.get("Gross Currency") else code
    net = _minor(row, "Net Credit (NC)", code) - _minor(row, "Net Debit (NC)", code)
    gross = _minor(row, "Gross Credit (GC)", paid_in) - _minor(row, "Gross Debit (GC)", paid_in)
    if direction:
        gross = direction * abs(gross)
    costs = sum(_minor(row, one, code) for one in COSTS)
    if kind not in (LineKind.CHARGE, LineKind.REFUND, LineKind.DISPUTE):
        amount, fee, gross, paid_in = net, 0, net, code
    elif paid_in == code:
        amount, fee = gross, gross - net
    else:
        amount, fee = net + costs, costs
    reference = _text(row, "Merchant Reference").removesuffix(CHARGE)
    return ToldLine(
        line_ref=f"{name}/{counts[name]}",
        kind=kind,
        amount_minor=amount,
        fee_minor=fee,
        currency=code,
        said_at=_moment(row, "Creation Date"),
        source_minor=gross,
        source_currency=paid_in,
        source_ref=changed or psp or None,
        payment_id=ours(reference),
        provider_ref=psp or None,
        exchange_rate=(row.get("Exchange Rate") or None) if paid_in != code else None,
        payout_ref=batch,
        operation_id=modified(row.get("Modification Merchant Reference"))[0],
    )


def _code(row: Row, column: str) -> str:
    code = row.get(column) or ""
    try:
        return currency(code).code
    except UnknownCurrency as error:
        msg = f"{column} is no currency: {code[:10]!r}"
        raise _unreadable(msg) from error


# --- payments ---


def payments_of(rows: list[Row], account_id: str | None) -> Report:
    """Every payment in rows about payments, as it stands after the last of them."""
    times = [_moment(row, "Booking Date" if "Booking Date" in row else "Creation Date") for row in rows]
    by_payment: dict[str, list[tuple[Instant, Row]]] = {}
    for at, row in sorted(zip(times, rows, strict=True), key=lambda one: one[0]):
        reference = _text(row, "Merchant Reference")
        payment_id = None if reference.endswith(SETUP) else ours(reference.removesuffix(CHARGE))
        if payment_id is not None:
            by_payment.setdefault(payment_id, []).append((at, row))
    traces = [found for one in by_payment.items() if (found := _trace(*one, account_id)) is not None]
    lost = tuple(found for one in by_payment.items() for found in _lost(*one, account_id))
    return Report(
        (), tuple(traces), min(times), max(times), rows[0].get("TimeZone", ""), is_of_payments=True, lost=lost
    )


def _lost(payment_id: str, told: list[tuple[Instant, Row]], account_id: str | None) -> Iterator[Trace]:
    """As the notification of it would have told."""
    for _, row in told:
        operation, _ = modified(row.get("Modification Merchant Reference"))
        if row["Record Type"] == "CaptureFailed" and operation is not None:
            ref = _text(row, "Psp Reference")
            view = View(ViewStatus.PROCESSING, provider_ref=ref, code=CAPTURE_LOST, failed_operation=operation)
            yield Trace(payment_id, view, account_id=account_id)


def _trace(payment_id: str, told: list[tuple[Instant, Row]], account_id: str | None) -> Trace | None:
    """What is known of a payment; None: nothing that moves money, as when a card was declined on its page."""
    good = [(at, row) for at, row in told if row["Record Type"] not in ("Received", *NOT_TAKEN)]
    if not good:
        return _refused(payment_id, told, account_id)
    psp = _text(good[0][1], "Psp Reference")
    mine = [(at, row) for at, row in good if row["Psp Reference"] == psp]
    code = _code(mine[0][1], "Payment Currency" if mine[0][1].get("Payment Currency") else "Main Currency")
    began = mine[0][0]
    made = datetime.fromtimestamp((UUID(payment_id).int >> 80) / 1000, UTC)
    if account_id is not None and abs(datetime.fromtimestamp(began / 1000, UTC) - made) > SKEW:
        # Its number was not drawn when it was paid: it may be another system's, or a later step of one that we know.
        account_id = "known payments only"
    status, held, taken = _stands(mine, code)
    is_lost = not taken and any(row["Record Type"] == "CaptureFailed" for _, row in mine)
    refunds = _refunds(mine, code)
    view = View(
        status,
        code,
        provider_ref=psp,
        authorised_minor=max(held, taken),
        captured_minor=taken,
        refunded_minor=sum(one.amount_minor for one in refunds if one.status == "succeeded"),
        hold_expires_at=_ends(mine, began) if status is ViewStatus.AUTHORISED else None,
        refunds=refunds,
        card_brand=_brand(mine[0][1]),
        code=CAPTURE_LOST if is_lost else None,
    )
    named = mine[0][1]
    return Trace(
        payment_id,
        view,
        account_id=account_id,
        customer_ref=named.get("Shopper Reference") or None,
        session_id=ours(named.get("Merchant Order Reference") or ""),
    )


def _refused(payment_id: str, told: list[tuple[Instant, Row]], account_id: str | None) -> Trace | None:
    """A charge of a stored card that was refused: it is made but once. On a page or at a terminal another card may follow.

    Why it was refused is not told.
    """
    charges = [row for _, row in told if row["Merchant Reference"].endswith(CHARGE) and row["Record Type"] in NOT_TAKEN]
    if not charges:
        return None
    code = _code(charges[-1], "Main Currency")
    view = View(ViewStatus.DECLINED, code, provider_ref=_text(charges[-1], "Psp Reference"))
    return Trace(payment_id, view, account_id=account_id)


def _stands(told: list[tuple[Instant, Row]], code: str) -> tuple[ViewStatus, int, int]:
    status, held, taken = ViewStatus.PROCESSING, 0, 0
    # Whether a hold has ended with a capture that failed is told by no row: it has, unless its account takes one in parts.
    left = ViewStatus.VOIDED if _was_let_go(told) else ViewStatus.AUTHORISED
    for _, row in told:
        match row["Record Type"]:
            case "Authorised":
                status, held = ViewStatus.AUTHORISED, _sum(row, code, "Authorised (PC)", "Authorized (PC)")
            case kind if kind.startswith(("AuthAdjust", "AuthorisationAdjust")):
                held = _sum(row, code, "Authorised (PC)", "Authorized (PC)")
            case "SentForSettle":
                taken += _sum(row, code, "Captured (PC)")
                status = ViewStatus.CAPTURED
            case "CaptureFailed":
                taken -= _sum(row, code, "Captured (PC)")
                status = ViewStatus.CAPTURED if taken else left
            case "Cancelled" if not taken:
                status = ViewStatus.VOIDED
            case "Expired" if not taken:
                status = ViewStatus.EXPIRED
            case _ if status is ViewStatus.PROCESSING:
                # The days before are not in these files: what is told of it now is about something that was taken then.
                status = ViewStatus.CAPTURED
    if status is ViewStatus.CAPTURED and _keeps_rest(told, held, taken):
        status = ViewStatus.AUTHORISED
    return status, held, max(taken, 0)


def _keeps_rest(told: list[tuple[Instant, Row]], held: int, taken: int) -> bool:
    """Whether what was not taken is held still, unless its account takes a hold but once: that is not told here."""
    return 0 < taken < held and not _was_let_go(told)


def _was_let_go(told: list[tuple[Instant, Row]]) -> bool:
    return any(row["Record Type"] in ("Cancelled", "Expired") for _, row in told)


def _sum(row: Row, code: str, *columns: str) -> int:
    for column in columns:
        if row.get(column) and (found := _minor(row, column, code)):
            return abs(found)
    return abs(_minor(row, "Main Amount", code))


def _refunds(told: list[tuple[Instant, Row]], code: str) -> tuple[RefundView, ...]:
    found: dict[str, RefundView] = {}
    for at, row in told:
        if row["Record Type"] not in ("SentForRefund", "RefundFailed", "RefundedReversed"):
            continue
        reference = _text(row, "Modification Merchant Reference") if "Modification Merchant Reference" in row else ""
        operation, mark = modified(reference)
        ref = row.get("Modification Psp Reference") or row.get("Modification Reference") or reference or f"at {at}"
        key = operation or ref
        status = "succeeded" if row["Record Type"] == "SentForRefund" else "failed"
        known = found.get(key)
        minor = known.amount_minor if known else _sum(row, code, "Captured (PC)")
        found[key] = RefundView(known.provider_ref if known else ref, operation, minor, status, mark)
    return tuple(found.values())


def _ends(told: list[tuple[Instant, Row]], began: Instant) -> Instant:
    return Instant(began + hold_seconds(PROVIDER, _brand(told[0][1])) * 1000)


def _brand(row: Row) -> str | None:
    name = (row.get("Payment Method") or "")[:30]
    return {"mc": "mastercard"}.get(name, name) or None
