"""Adyen's report files over the common books: of a batch about settlements, of a day about payments (docs.adyen.com/reporting).

They lie where Adyen's lie, and are given to a report user of its own by name and password.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.money import Money, currency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

PREFIX: Final = "/reports/download/MerchantAccount/"
PASSWORD: Final = "report_"
BATCH: Final = "settlement_detail_report_batch_{}.csv"
COMPANY: Final = "SimulatedCompany"
MERCHANT: Final = "_merchant"
REFERENCE: Final = "_reference"
SETTLED: Final = (
    "Company Account", "Merchant Account", "Psp Reference", "Merchant Reference", "Payment Method", "Creation Date",
    "TimeZone", "Type", "Modification Reference", "Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)",
    "Exchange Rate", "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Commission (NC)", "Markup (NC)",
    "Scheme Fees (NC)", "Interchange (NC)", "Payment Method Variant", "Modification Merchant Reference", "Batch Number",
    "Reserved4", "Reserved5", "Reserved6", "Reserved7", "Reserved8", "Reserved9", "Reserved10",
)  # fmt: skip
ACCOUNTED: Final = (
    "Company Account", "Merchant Account", "Psp Reference", "Merchant Reference", "Payment Method", "Booking Date",
    "TimeZone", "Main Currency", "Main Amount", "Record Type", "Payment Currency", "Received (PC)", "Authorized (PC)",
    "Captured (PC)", "Settlement Currency", "Payable (SC)", "Commission (SC)", "Markup (SC)", "Scheme Fees (SC)",
    "Interchange (SC)", "Processing Fee Currency", "Processing Fee (FC)", "User Name", "Payment Method Variant",
    "Modification Merchant Reference", "Merchant Order Reference", "Shopper Reference",
)  # fmt: skip
_BATCH: Final = re.compile(r"settlement_detail_report_batch_(\d+)\.csv")
_DAY: Final = re.compile(r"payments_accounting_report_(\d{4})_(\d{2})_(\d{2})\.csv")


def key_behind(authorization: str) -> str | None:
    """The key of the payments whose reports a user and a password of HTTP may read; None for nobody's."""
    scheme, _, told = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(told).decode().partition(":")
    except ValueError:
        return None
    if scheme.lower() != "basic" or not user.startswith("report@") or not password.startswith(PASSWORD):
        return None
    return "AQE" + password.removeprefix(PASSWORD)


def place(call: Call, merchant: str, number: int) -> str:
    """Where the file of a batch lies."""
    return f"{call.base_url}{PREFIX}{merchant}/{BATCH.format(number)}"


def report(call: Call, path: str, psp_of: Callable[[str], str]) -> str | None:
    """The file at a path; None when nothing lies there."""
    merchant, _, name = path.removeprefix(PREFIX).partition("/")
    if batch := _BATCH.fullmatch(name):
        payouts = list(call.all_of("payout"))[::-1]
        number = int(batch[1])
        if not 1 <= number <= len(payouts):
            return None
        return _written(SETTLED, _settled(call, merchant, payouts[number - 1], number, psp_of))
    if day := _DAY.fullmatch(name):
        wanted = "-".join(day.groups())
        rows = [one for one in _steps(call, merchant, psp_of) if one["Booking Date"].startswith(wanted)]
        return _written(ACCOUNTED, iter(rows))
    return None


def merchant_of(call: Call) -> str:
    """The merchant account in whose name the payments were made."""
    return next((one["metadata"][MERCHANT] for one in call.all_of("payment_intent") if MERCHANT in one["metadata"]), "")


def _written(names: tuple[str, ...], rows: Iterator[Object]) -> str:
    text = io.StringIO(newline="")
    into = csv.DictWriter(text, names, restval="", lineterminator="\n")
    into.writeheader()
    into.writerows(rows)
    return text.getvalue()


def _sum(minor: int, code: str) -> str:
    return str(Money(minor, currency(code.upper())).decimal)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _sides(minor: int, code: str, name: str) -> Object:
    side, sort = ("Credit", 1) if minor >= 0 else ("Debit", -1)
    kind = "GC" if name == "Gross" else "NC"
    return {f"{name} {side} ({kind})": _sum(sort * minor, code)}


def _settled(call: Call, merchant: str, payout: Object, number: int, psp_of: Callable[[str], str]) -> Iterator[Object]:
    common = {"Company Account": COMPANY, "Merchant Account": merchant, "TimeZone": "UTC", "Batch Number": number}
    booked = [one for one in call.all_of("balance_transaction") if one.get("_payout") == payout["id"]]
    told: set[str] = set()
    for one in sorted(booked, key=lambda one: (one["created"], one["id"])):
        row = {**common, "Creation Date": _moment(one["created"]), "Net Currency": one["currency"].upper()}
        source = call.find(one["source"]) if one["source"] else None
        if one["type"] == "payout":
            yield {**row, **_sides(one["net"], one["currency"], "Net"), "Type": "MerchantPayout",
                   "Modification Reference": f"TX{number:09d}XT, SimulatedBank"}  # fmt: skip
        elif source is None:
            yield {**row, **_sides(one["net"], one["currency"], "Net"), "Type": "ManualCorrected",
                   "Modification Reference": "a movement from elsewhere"}  # fmt: skip
        else:
            yield {**row, **_of_payment(call, one, source, psp_of, told)}


def _of_payment(call: Call, booked: Object, source: Object, psp_of: Callable[[str], str], told: set[str]) -> Object:
    intent = call.get("payment_intent", source["payment_intent"])
    kind = {"charge": "Settled", "refund": "Refunded"}.get(source["object"])
    if kind is None:
        kind = "Chargeback" if booked["amount"] < 0 else "ChargebackReversed"
    code = source["currency"]
    # What the common books have exchanged was another sum when it was paid.
    gross = booked["amount"]
    if booked["exchange_rate"] is not None:
        moved = source["amount_captured"] if kind == "Settled" else source["amount"]
        gross = moved if booked["amount"] >= 0 else -moved
    changes = [one for one in call.all_of("adyen.modification") if one["intent"] == intent["id"]]
    mine = [one for one in changes if _is_of(one, kind, source)]
    # Of several captures each is a movement of its own; they are listed newest first, as modifications are.
    exact = [one for one in mine if one["minor"] == abs(booked["amount"]) and one["id"] not in told]
    change = next(iter(exact[-1:] or mine), None)
    if kind == "Settled" and change is not None:
        told.add(change["id"])
    charge = call.get("charge", intent["latest_charge"])
    return {
        "Type": kind,
        "Psp Reference": psp_of(intent["id"]),
        "Merchant Reference": intent["metadata"].get(REFERENCE, ""),
        "Payment Method": {"mastercard": "mc"}.get(brand := _brand(charge), brand),
        "Modification Reference": psp_of(
            source["id"] if source["object"] == "dispute" or change is None else change["id"]
        ),
        "Modification Merchant Reference": change["reference"] if change is not None else "",
        "Gross Currency": code.upper(),
        **_sides(gross, code, "Gross"),
        "Exchange Rate": Decimal(str(booked["exchange_rate"] or 1)),
        **_sides(booked["net"], booked["currency"], "Net"),
        "Commission (NC)": _sum(booked["fee"], booked["currency"]) if booked["fee"] else "",
    }


def _brand(charge: Object) -> str:
    """Of a card on a page, or held to a terminal."""
    details = charge["payment_method_details"]
    return str(details[details["type"]]["brand"])


def _is_of(change: Object, kind: str, source: Object) -> bool:
    if kind == "Settled":
        return bool(change["kind"] == "CAPTURE" and change["failed"] is None)
    named = (source.get("metadata") or {}).get("tallywatt_operation")
    return bool(change["kind"] == "REFUND" and str(change["reference"]).partition("/")[0] == named)


def _steps(call: Call, merchant: str, psp_of: Callable[[str], str]) -> Iterator[Object]:
    """Every step of every payment that its scheme has heard of."""
    for intent in call.all_of("payment_intent"):
        attempt = call.find(intent["latest_charge"]) if intent["latest_charge"] else None
        if attempt is None:
            continue
        code = intent["currency"]
        common = {
            "Company Account": COMPANY,
            "Merchant Account": merchant,
            "Psp Reference": psp_of(intent["id"]),
            "Merchant Reference": intent["metadata"].get(REFERENCE, ""),
            "Payment Method": _brand(attempt),
            "TimeZone": "UTC",
            "Merchant Order Reference": intent["metadata"].get("_order", ""),
            "Shopper Reference": intent["customer"] or "",
            "Main Currency": code.upper(),
            "Payment Currency": code.upper(),
        }
        good = attempt["status"] == "succeeded"
        held = attempt["amount"]
        made = [("Received", attempt["created"], held, {"Received (PC)": _sum(held, code)})]
        kind, column = ("Authorised", {"Authorized (PC)": _sum(held, code)}) if good else ("Refused", {})
        made.append((kind, attempt["created"], held, column))
        made += _taken(call, intent, attempt, code)
        for name, at, minor, more in made:
            yield {**common, "Record Type": name, "Booking Date": _moment(at), "Main Amount": _sum(minor, code), **more}


def _changes(call: Call, intent: Object, kind: str) -> list[Object]:
    """What of that kind was done to a payment, oldest first."""
    found = [
        one
        for one in call.all_of("adyen.modification")
        if (one["intent"], one["kind"], one["failed"]) == (intent["id"], kind, None)
    ]
    return found[::-1]


def _captured(change: Object, code: str) -> Object:
    return {"Captured (PC)": _sum(change["minor"], code), "Modification Merchant Reference": change["reference"]}


def _taken(call: Call, intent: Object, attempt: Object, code: str) -> list[tuple[str, int, int, Any]]:
    taken, at, held = attempt["amount_captured"], attempt["created"], attempt["amount"]
    lost = _changes(call, intent, "CAPTURE_FAILED")
    sent = [("SentForSettle", one["minor"], _captured(one, code)) for one in lost]
    if taken:
        sent.append(("SentForSettle", taken, {"Captured (PC)": _sum(taken, code)}))
    if sent:
        rest = held - sum(minor for _, minor, _ in sent)
        sent += [("Cancelled", rest, {}) for _ in _changes(call, intent, "CANCELLATION")]
    elif intent["status"] == "canceled":
        sent = [("Expired" if intent["cancellation_reason"] == "automatic" else "Cancelled", held, {})]
    sent += [("CaptureFailed", one["minor"], _captured(one, code)) for one in lost]
    made = [(kind, at, minor, more) for kind, minor, more in sent]
    for one in call.all_of("refund"):
        if one["payment_intent"] == intent["id"]:
            changes = call.all_of("adyen.modification")
            reference = next((it["reference"] for it in changes if _is_of(it, "Refunded", one)), "")
            more = {"Captured (PC)": _sum(-one["amount"], code), "Modification Merchant Reference": reference}
            made.append(("SentForRefund", one["created"], one["amount"], more))
    return made
