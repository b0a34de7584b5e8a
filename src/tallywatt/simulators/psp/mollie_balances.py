"""Mollie's balances, settlements and chargebacks over the common books (docs.mollie.com/reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp import mollie_objects as shapes
from tallywatt.simulators.psp.dialects import WRAPPER
from tallywatt.simulators.psp.refusals import Refusal, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

TRANSACTION: Final = "balance_transaction"
KINDS: Final = {
    "charge": "payment",
    "refund": "refund",
    "payout": "outgoing-transfer",
    "adjustment": "balance-correction",
}
ORGANISATION: Final = "access_"
"""How a token of an organisation begins. What follows it is what follows `test_` in the key of its payments."""
ONLY_TOKENS: Final = ("/v2/balances", "/v2/settlements")


def check_token(path: str, key: str) -> None:
    """Balances and settlements are told to tokens of an organisation alone."""
    if path.startswith(ONLY_TOKENS) and not key.startswith(ORGANISATION):
        raise Refusal(403, "invalid_request_error", "The given token does not have the required permissions.")


def _docs(call: Call, path: str, kind: str) -> Object:
    return {
        "self": shapes.link(f"{call.base_url}/v2/{path}"),
        "documentation": shapes.link(f"{shapes.DOCUMENTS}/{kind}", "text/html"),
    }


def _page(call: Call, name: str, path: str, rows: list[Object]) -> Object:
    if "from" in call.params:
        ids = [one["id"] for one in rows]
        if call.params["from"] not in ids:
            raise missing(name, call.params["from"], "from")
        rows = rows[ids.index(call.params["from"]) :]
    made = shapes.page(call, name, rows, int(call.params.get("limit", 50)))
    if made["_links"]["next"]:
        made["_links"]["next"]["href"] = made["_links"]["next"]["href"].replace(f"/v2/{name}?", f"/v2/{path}?")
    return made


def _balance_id(code: str) -> str:
    return f"bal_{code}"


def list_balances(call: Call) -> Object:
    """GET /v2/balances: one a currency."""
    codes = sorted({one["currency"] for one in call.all_of(TRANSACTION)})
    return _page(call, "balances", "balances", [_balance(call, code) for code in codes])


def _balance(call: Call, code: str) -> Object:
    waiting = [one for one in call.all_of(TRANSACTION) if one["currency"] == code and one.get("_payout") is None]
    zero = shapes.amount(0, code)
    return {
        "resource": "balance",
        "id": _balance_id(code),
        "mode": "test",
        "createdAt": shapes.moment(min(one["created"] for one in call.all_of(TRANSACTION))),
        "currency": code.upper(),
        "description": f"{code.upper()} balance",
        "status": "active",
        "availableAmount": shapes.amount(sum(one["net"] for one in waiting), code),
        "pendingAmount": zero,
        "transferFrequency": "daily",
        "transferThreshold": zero,
        "transferReference": None,
        "transferDestination": {"type": "bank-account", "bankAccount": "NL53INGB0654422370", "beneficiaryName": "Shop"},
        "_links": _docs(call, f"balances/{_balance_id(code)}", "get-balance"),
    }


def list_transactions(call: Call) -> Object:
    """GET /v2/balances/{id}/transactions, newest first."""
    code = call.id.removeprefix("bal_")
    rows = [_transaction(call, one) for one in call.all_of(TRANSACTION) if one["currency"] == code]
    return _page(call, "balance_transactions", f"balances/{call.id}/transactions", rows)


def _transaction(call: Call, booked: Object) -> Object:
    kind, about = _about(call, booked)
    code = booked["currency"]
    return {
        "resource": "balance_transaction",
        "id": "baltr_" + str(booked["id"]).removeprefix("txn_"),
        "type": kind,
        "resultAmount": shapes.amount(booked["net"], code),
        "initialAmount": shapes.amount(booked["amount"], code),
        "deductions": shapes.amount(-booked["fee"], code) if booked["fee"] else None,
        "createdAt": shapes.moment(booked["created"]),
        "context": {kind: about} if about else None,
    }


def _about(call: Call, booked: Object) -> tuple[str, Object]:
    """The type of a movement, and the ids that tell what it is about."""
    source = call.find(booked["source"]) if booked["source"] else None
    if source is None:
        return KINDS.get(booked["type"], "balance-correction"), {}
    if source["object"] == "payout":
        return "outgoing-transfer", {"settlementId": settlement_id(source), "transferId": source["id"]}
    payment = payment_of(call, source["payment_intent"])
    about: Object = {"paymentId": payment["id"], "paymentDescription": payment["asked"]["description"]}
    if source["object"] == "refund":
        return "refund", {**about, "refundId": source["id"]}
    if source["object"] == "dispute":
        kind = "chargeback" if booked["amount"] < 0 else "chargeback-reversal"
        return kind, {**about, "chargebackId": chargeback_id(source)}
    if payment["captures"]:
        return "capture", {**about, "captureId": payment["captures"][0]}
    return "payment", about


def payment_of(call: Call, intent_id: str) -> Object:
    """The payment of Mollie's that an intent of the common books carries out."""
    intent = call.get("payment_intent", intent_id)
    return call.get("mollie.payment", intent["metadata"][WRAPPER])


def settlement_id(payout: Object) -> str:
    """The settlement that a payout is."""
    return "stl_" + str(payout["id"]).removeprefix("po_")


def chargeback_id(dispute: Object) -> str:
    """The chargeback that a dispute is."""
    return "chb_" + str(dispute["id"]).removeprefix("dp_")


def list_settlements(call: Call) -> Object:
    """GET /v2/settlements, newest first."""
    rows = []
    for number, payout in enumerate(call.all_of("payout"), start=1):
        own = f"settlements/{settlement_id(payout)}"
        links = _docs(call, own, "get-settlement")
        links |= {
            name: shapes.link(f"{call.base_url}/v2/{own}/{name}")
            for name in ("payments", "captures", "refunds", "chargebacks")
        }
        rows.append(
            {
                "resource": "settlement",
                "id": settlement_id(payout),
                "createdAt": shapes.moment(payout["created"]),
                "reference": f"1234567.{number:04d}.01",
                "settledAt": shapes.moment(payout["created"]),
                "status": "paidout",
                "amount": shapes.amount(payout["amount"], payout["currency"]),
                "balanceId": _balance_id(payout["currency"]),
                "invoiceId": None,
                "periods": {},
                "_links": links,
            }
        )
    return _page(call, "settlements", "settlements", rows)


def settled(call: Call, kind: str) -> Iterator[tuple[Object, Object]]:
    """The movements of a settlement whose source is of that kind, each with its source."""
    payout = "po_" + call.id.removeprefix("stl_")
    for booked in call.all_of(TRANSACTION):
        source = call.find(booked["source"]) if booked.get("_payout") == payout and booked["source"] else None
        if source is not None and source["object"] == kind:
            yield booked, source


def listed(call: Call, name: str, rows: list[Object]) -> Object:
    """A list of what a settlement has of a kind."""
    return _page(call, name, f"settlements/{call.id}/{name}", rows)


def in_settlement(call: Call, booked: Object, one: Object) -> Object:
    """An object with the settlement that pays it out."""
    return one | {"settlementId": call.id, "settlementAmount": shapes.amount(booked["amount"], booked["currency"])}


def settled_captures(call: Call) -> Object:
    """GET /v2/settlements/{id}/captures."""
    rows = []
    for booked, charge in settled(call, "charge"):
        payment = payment_of(call, charge["payment_intent"])
        for id_ in payment["captures"]:
            made = shapes.capture(call, call.get("mollie.capture", id_))
            rows.append(in_settlement(call, booked, made))
    return listed(call, "captures", rows)


def settled_refunds(call: Call) -> Object:
    """GET /v2/settlements/{id}/refunds."""
    rows = []
    for booked, refund in settled(call, "refund"):
        payment = payment_of(call, refund["payment_intent"])
        rows.append(in_settlement(call, booked, shapes.refund(call, payment["id"], refund)))
    return listed(call, "refunds", rows)


def settled_chargebacks(call: Call) -> Object:
    """GET /v2/settlements/{id}/chargebacks."""
    rows = [
        in_settlement(call, booked, chargeback(call, dispute))
        for booked, dispute in settled(call, "dispute")
        if booked["amount"] < 0
    ]
    return listed(call, "chargebacks", rows)


def list_chargebacks(call: Call) -> Object:
    """GET /v2/chargebacks, newest first."""
    return _page(call, "chargebacks", "chargebacks", [chargeback(call, one) for one in call.all_of("dispute")])


def list_of_payment(call: Call) -> Object:
    """GET /v2/payments/{id}/chargebacks."""
    made = [chargeback(call, one) for one in call.all_of("dispute")]
    rows = [one for one in made if one["paymentId"] == call.id]
    return _page(call, "chargebacks", f"payments/{call.id}/chargebacks", rows)


def chargeback(call: Call, dispute: Object) -> Object:
    """A chargeback: the money is gone, until it is reversed."""
    payment = payment_of(call, dispute["payment_intent"])
    own = f"payments/{payment['id']}/chargebacks/{chargeback_id(dispute)}"
    links = _docs(call, own, "get-chargeback")
    links["payment"] = shapes.link(f"{call.base_url}/v2/payments/{payment['id']}")
    return {
        "resource": "chargeback",
        "id": chargeback_id(dispute),
        "amount": shapes.amount(dispute["amount"], dispute["currency"]),
        "settlementAmount": shapes.amount(-dispute["amount"], dispute["currency"]),
        "paymentId": payment["id"],
        "reason": {"code": "AC01", "description": "Account identifier incorrect"},
        "createdAt": shapes.moment(dispute["created"]),
        "reversedAt": shapes.moment(dispute["created"]) if dispute["status"] == "won" else None,
        "_links": links,
    }
