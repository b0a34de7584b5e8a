"""Adyen's terminals over the common readers (docs.adyen.com: Terminal API over the Cloud device API): nexo messages.

A payment that is sent to `/async` is answered at once and goes its way at the reader; `TransactionStatus` repeats its answer,
with all that a terminal tells, also what no till should keep: a number with its middle masked, and a track.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tallywatt.kernel.money import currency
from tallywatt.simulators.psp import intents, objects, readers
from tallywatt.simulators.psp.paths import Route, carried_out
from tallywatt.simulators.psp.refusals import bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

PREFIX: Final = "/device/"
LISTED: Final = "/management/"
NAME: Final = re.compile(r"[A-Za-z0-9]{2,20}-\d{6,20}")
"""Model and serial number. Whichever terminal is asked for under such a name is there."""
MESSAGE: Final = "adyen.message"
CANCELLED: Final = "customer_canceled"
TRACK: Final = "5413330089010434=31122010000000000000"
"""What is on the magnetic stripe of a test card: it may lie about nowhere."""


WORDS: Final = {
    "card_velocity_exceeded": "Withdrawal count exceeded",
    "expired_card": "Expired Card",
    "fraudulent": "FRAUD",
    "insufficient_funds": "Not enough balance",
    "lost_card": "Blocked Card",
    "processing_error": "Acquirer Error",
    "stolen_card": "Blocked Card",
}
"""Why a card was declined, as a terminal says it; the others are only refused."""


def _reader(call: Call) -> Object:
    """The terminal in the path: whichever is asked for is there."""
    if call.find(call.id) is None:
        return call.put(readers.new(call, call.id, call.id))
    return call.get(readers.READER, call.id)


def listed(call: Call) -> Object:
    """GET /management/v3/terminals: the terminals whose names contain what is searched for."""
    part = str(call.params.get("searchQuery", ""))
    found = [one for one in call.all_of(readers.READER) if part in one["id"]]
    if NAME.fullmatch(part) and call.find(part) is None:
        found.append(call.put(readers.new(call, part, part)))
    told = [
        {"id": one["id"], "model": one["id"].partition("-")[0], "serialNumber": one["serial_number"]} for one in found
    ]
    return {"itemsTotal": len(told), "pagesTotal": 1, "data": told[: int(call.params.get("pageSize", "20"))]}


def _message(call: Call, number: str) -> Object | None:
    return call.find(_id(call, number))


def _id(call: Call, number: str) -> str:
    return f"msg_{call.id}_{number}"


def _asked(call: Call) -> tuple[Object, Object]:
    asked = call.params["SaleToPOIRequest"]
    header = asked["MessageHeader"]
    if header["POIID"] != call.id or not 1 <= len(header["ServiceID"]) <= 10:
        msg = "The message is for another terminal, or has no number."
        raise bad_request(msg)
    return header, asked


def send(call: Call) -> Object:
    """POST …/async: a payment is handed to the terminal, if that is on the line."""
    header, asked = _asked(call)
    terminal = _reader(call)
    if terminal["status"] != "online":
        return _reject("Terminal is not connected")
    if _message(call, header["ServiceID"]) is not None:
        return _reject("A message of that number was sent before")
    told = asked["PaymentRequest"]
    sums, sale = told["PaymentTransaction"]["AmountsReq"], told["SaleData"]
    kept: Object = {"id": _id(call, header["ServiceID"]), "object": MESSAGE, "intent": None, "failed": None}
    if readers.busy(terminal):
        call.put(kept | {"failed": "Busy"})
        return {}
    code = sums["Currency"]
    minor = int(Decimal(str(sums["RequestedAmount"])).scaleb(currency(code).exponent))
    carried = {
        "_wrapper": kept["id"],
        "_reference": sale["SaleTransactionID"]["TransactionID"],
        "_merchant": call.params["merchant"],
    }
    made = {
        "amount": minor,
        "currency": code.lower(),
        "capture_method": "manual",
        "metadata": carried,
        "allowed_payment_method_types": ["card_present"],
        "description": sale["SaleTransactionID"]["TransactionID"],
    }
    intent = call.put(objects.payment_intent(call, made))
    pre = "authorisationType=PreAuth" in sale.get("SaleToAcquirerData", "")
    call.put(
        kept
        | {
            "intent": intent["id"],
            "asked": {"additionalData": {"authorisationType": "PreAuth" if pre else "FinalAuth"}},
        }
    )
    carried_out(call, readers.process, {"payment_intent": intent["id"]}, call.id)
    return {}


def answer(call: Call) -> Object:
    """POST …/sync: how a payment went, or that it is to be given up."""
    header, asked = _asked(call)
    terminal = _reader(call)
    if terminal["status"] != "online":
        return _reject("Did not receive a response from the POI.")
    if header["MessageCategory"] == "Display":
        return _displayed(call, terminal, header, asked["DisplayRequest"])
    if header["MessageCategory"] == "Abort":
        number = asked["AbortRequest"]["MessageReference"]["ServiceID"]
        kept = _message(call, number)
        if kept is not None and readers.intent_asked(terminal) == kept["intent"]:
            readers.come(call, terminal, "cancel")
        return {}
    return _went(call, terminal, header, asked["TransactionStatusRequest"]["MessageReference"]["ServiceID"])


def _went(call: Call, terminal: Object, header: Object, number: str) -> Object:
    """How a payment went that was asked of it before."""
    kept = _message(call, number)
    if kept is None:
        return _status(header, "Failure", ErrorCondition="NotFound", AdditionalResponse="message=Original+not+found")
    if kept["failed"] is not None:
        return _repeated(header, {"Response": {"Result": "Failure", "ErrorCondition": kept["failed"]}})
    if readers.intent_asked(terminal) == kept["intent"]:
        more = "message=Uncompleted%20transaction"
        return _status(header, "Failure", ErrorCondition="InProgress", AdditionalResponse=more)
    return _repeated(header, _payment(call, kept))


def _displayed(call: Call, terminal: Object, header: Object, asked: Object) -> Object:
    """A text on the display, unless the terminal is asking for a card."""
    device = {"Device": "CustomerDisplay", "InfoQualify": "Display"}
    free = not readers.busy(terminal)
    if free:
        text = " ".join(one["Text"] for one in asked["DisplayOutput"][0]["OutputContent"]["OutputText"])
        lines = [{"description": text, "amount": 0, "quantity": 1}]
        readers.show(terminal, {"currency": "", "line_items": lines, "total": 0})
        call.put(terminal)
    result = {"Result": "Success"} if free else {"Result": "Failure", "ErrorCondition": "Busy"}
    told = {"DisplayResponse": {"OutputResult": [{**device, "Response": result}]}}
    return {"SaleToPOIResponse": {"MessageHeader": header | {"MessageType": "Response"}, **told}}


def _payment(call: Call, kept: Object) -> Object:
    """The answer to the request for a card, as a terminal gives it."""
    intent = call.get("payment_intent", kept["intent"])
    made = {"POITransactionID": {"TransactionID": f"tender.{_psp(intent['id'])}", "TimeStamp": _moment(call.now)}}
    error = intent["last_payment_error"]
    attempt = None if intent["latest_charge"] is None else call.get("charge", intent["latest_charge"])
    if attempt is None:
        return {"Response": {"Result": "Failure", "ErrorCondition": "Cancel"}, "POIData": made}
    if error is not None:
        why = f"refusalReason={quote(WORDS.get(error.get('decline_code') or error.get('code', ''), 'Refused'))}"
        failed = {"Result": "Failure", "ErrorCondition": "Refusal", "AdditionalResponse": why}
        return {"Response": failed, "POIData": made}
    card = intents.card_of(attempt)
    exact = Decimal(intent["amount"]).scaleb(-currency(intent["currency"].upper()).exponent)
    shown = {
        "PaymentBrand": {"mastercard": "mc"}.get(card["brand"], card["brand"]),
        "MaskedPan": f"541333 **** {card['last4']}",
        "EntryMode": ["Contactless"],
        "SensitiveCardData": {"PAN": TRACK[:16], "TrackData": [{"TrackNumb": 2, "TrackValue": TRACK}]},
    }
    return {
        "Response": {"Result": "Success", "AdditionalResponse": f"cardSummary={card['last4']}&posEntryMode=CLESS_CHIP"},
        "POIData": made,
        "PaymentResult": {
            "AmountsResp": {"AuthorizedAmount": float(exact), "Currency": intent["currency"].upper()},
            "PaymentInstrumentData": {"CardData": shown, "PaymentInstrumentType": "Card"},
            "OnlineFlag": True,
        },
    }


def _psp(id_: str) -> str:
    return hashlib.blake2b(id_.encode(), digest_size=8).hexdigest().upper()


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _status(header: Object, result: str, **more: Any) -> Object:
    told = {"Response": {"Result": result, **{name: value for name, value in more.items() if name != "repeated"}}}
    if "repeated" in more:
        told["RepeatedMessageResponse"] = {"RepeatedResponseMessageBody": {"PaymentResponse": more["repeated"]}}
    answered = header | {"MessageType": "Response"}
    return {"SaleToPOIResponse": {"MessageHeader": answered, "TransactionStatusResponse": told}}


def _repeated(header: Object, payment: Object) -> Object:
    return _status(header, "Success", repeated=payment)


def _reject(why: str) -> Object:
    event = {"EventToNotify": "Reject", "EventDetails": f"message={quote(why)}", "TimeStamp": _moment(0)}
    return {"SaleToPOIRequest": {"EventNotification": event}}


_FIELDS: Final = frozenset({"SaleToPOIRequest"})
ROUTES: Final = (
    Route("GET", "/management/v3/terminals", listed),
    Route("POST", "/device/v1/merchants/{merchant}/devices/{id}/async", send, _FIELDS, ("SaleToPOIRequest",)),
    Route("POST", "/device/v1/merchants/{merchant}/devices/{id}/sync", answer, _FIELDS, ("SaleToPOIRequest",)),
)
