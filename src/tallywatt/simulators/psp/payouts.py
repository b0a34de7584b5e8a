"""The provider's settlement: fees, exchanges, payouts to the bank, and on request what goes wrong with them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp import adyen_reports, objects
from tallywatt.simulators.psp.forms import INT, TEXT, Schema

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.settling import Settling

PAYOUTS: Final[Schema] = {
    "created": {"gt": INT, "gte": INT, "lt": INT, "lte": INT},
    "arrival_date": {"gt": INT, "gte": INT, "lt": INT, "lte": INT},
    "ending_before": TEXT,
    "expand": [TEXT],
    "limit": INT,
    "starting_after": TEXT,
    "status": TEXT,
}
ARRIVES_SECONDS: Final = 24 * 3600


def book(call: Call, source: Object, amount: int, kind: str) -> str | None:
    """Book what a charge or a refund does to the balance; the id of the transaction, None when there is none, or it is lost."""
    settling = call.settling
    if not amount:
        return None  # a card that was only looked at: nothing moves, and nothing is charged for it here
    if kind == "charge" and settling.lose > 0:
        settling.lose -= 1
        return None
    booked = objects.balance_transaction(call, source, amount, kind)
    if settling.currency is not None and settling.currency != booked["currency"]:
        _exchange(booked, settling)
    if kind == "charge" and settling.more_fee:
        booked["fee"] += settling.more_fee
        booked["net"] -= settling.more_fee
    booked["fee_details"][0] |= {"amount": booked["fee"], "currency": booked["currency"]}
    call.put(booked)
    return str(booked["id"])


def _exchange(booked: Object, settling: Settling) -> None:
    for name in ("amount", "fee", "net"):
        booked[name] = _converted(booked[name], settling.rate)
    booked["net"] = booked["amount"] - booked["fee"]
    booked |= {"currency": settling.currency, "exchange_rate": float(settling.rate)}


def _converted(minor: int, rate: str) -> int:
    return int((minor * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_EVEN))


def pay_out(call: Call) -> list[Object]:
    """Send everything that has not gone to the bank yet, one payout a currency."""
    waiting: dict[str, list[Object]] = {}
    merchant, number = adyen_reports.merchant_of(call), sum(1 for _ in call.all_of("payout"))
    for one in call.all_of("balance_transaction"):
        if one.get("_payout") is None and one["type"] != "payout":
            waiting.setdefault(one["currency"], []).append(one)
    made = []
    for code, found in sorted(waiting.items()):
        if sum(one["net"] for one in found) > 0:
            number += 1
            report = {"_report": adyen_reports.place(call, merchant, number), "_merchant": merchant} if merchant else {}
            made.append(_one(call, code, found, report))
    return made


def _one(call: Call, code: str, found: list[Object], report: dict[str, str]) -> Object:
    amount = sum(one["net"] for one in found)
    payout: dict[str, Any] = {
        "id": call.new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": call.now + ARRIVES_SECONDS,
        "automatic": True,
        "balance_transaction": None,
        "created": call.now,
        "currency": code,
        "description": "STRIPE PAYOUT",
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "type": "bank_account",
        **report,
    }
    booked = objects.balance_transaction(call, payout, -amount, "payout") | {"_payout": payout["id"]}
    payout["balance_transaction"] = booked["id"]
    call.put(payout)
    call.put(booked)
    for one in found:
        call.put({**one, "_payout": payout["id"], "status": "available"})
    call.event("payout.paid", payout)
    return payout


def invent(call: Call, amount: int, currency: str) -> list[Object]:
    """A movement that nobody here asked for."""
    source = {"id": call.new_id("py"), "currency": currency, "description": "a movement from elsewhere"}
    booked = objects.balance_transaction(call, source, amount, "adjustment") | {"source": None}
    return [call.put(booked)]


def correct(call: Call, transaction: str, fee: int) -> list[Object]:
    """The provider charges another fee after all."""
    booked = call.find(transaction)
    if booked is None:
        return []
    return [call.put(booked | {"fee": fee, "net": booked["amount"] - fee})]
