"""Adyen's Checkout API over the common books (docs.adyen.com/api-explorer): links, payments, modifications, notifications.

Every modification is answered with `received`; what became of it is told in a signed notification, success or not. A
capture beyond the hold is received like any other, and fails there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp import adyen_defence, adyen_terminals, checkout, intents, objects, refunds
from tallywatt.simulators.psp.cards import AUTHENTICATION, MAGIC_AMOUNTS
from tallywatt.simulators.psp.currencies import check_amount, check_currency
from tallywatt.simulators.psp.dialects import DAY, WRAPPER, account_of
from tallywatt.simulators.psp.paths import Route, carried_out, read_request
from tallywatt.simulators.psp.refusals import Refusal, bad_request, unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.book import Book, Change, Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.options import Options
    from tallywatt.simulators.psp.wire import Request

    Handler = Callable[[Call], Any]

LINK: Final = "adyen.link"
MODIFICATION: Final = "adyen.modification"
REFERENCE: Final = "_reference"
MERCHANT: Final = "_merchant"
ORDER: Final = "_order"
LONGEST_KEY: Final = 64
KEY_TROUBLE: Final = "704"
PSP_LENGTH: Final = 16

REASONS: Final = {
    "authentication_required": ("38", "Authentication required"),
    "card_velocity_exceeded": ("29", "Withdrawal count exceeded"),
    "do_not_honor": ("2", "Refused"),
    "expired_card": ("6", "Expired Card"),
    "fraudulent": ("20", "FRAUD"),
    "generic_decline": ("2", "Refused"),
    "incorrect_cvc": ("24", "CVC Declined"),
    "insufficient_funds": ("12", "Not enough balance"),
    "lost_card": ("5", "Blocked Card"),
    "payment_intent_authentication_failure": ("11", "3D Not Authenticated"),
    "processing_error": ("4", "Acquirer Error"),
    "stolen_card": ("5", "Blocked Card"),
}


def psp_of(id_: str) -> str:
    """The 16 characters that Adyen calls a pspReference, of an object of the common books."""
    return hashlib.blake2b(id_.encode(), digest_size=PSP_LENGTH // 2).hexdigest().upper()


def _sum(asked: Object) -> tuple[int, str]:
    given = asked["amount"]
    code = check_currency(str(given["currency"]).lower())
    if not isinstance(given["value"], int) or given["value"] < 0:
        msg = "Invalid amount specified"
        raise bad_request(msg, param="amount")
    return given["value"], code


def _carried(asked: Object, wrapper: str, reference: str) -> Object:
    named = {str(name): str(value) for name, value in (asked.get("metadata") or {}).items()}
    order = {ORDER: asked["merchantOrderReference"]} if asked.get("merchantOrderReference") else {}
    return {WRAPPER: wrapper, REFERENCE: reference, MERCHANT: asked["merchantAccount"], **order, **named}


def create_link(call: Call) -> Object:
    """POST /paymentLinks."""
    asked = call.params
    minor, code = _sum(asked)
    stores = asked.get("storePaymentMethodMode") == "enabled"
    if minor or not stores:
        check_amount(minor, code, call.least)
    expires = asked.get("expiresAt")
    ends = int(datetime.fromisoformat(expires).timestamp()) if expires else call.now + 24 * 3600
    id_ = call.new_id("PL")
    carried = _carried(asked, id_, asked["reference"])
    wanted: Object = {
        "capture_method": "manual" if asked.get("manualCapture") else "automatic",
        "metadata": carried,
    }
    shopper = asked.get("shopperReference")
    if stores:
        wanted["setup_future_usage"] = "off_session"
        _shopper(call, shopper)
    page = {
        "success_url": asked.get("returnUrl") or f"{call.base_url}/done",
        "customer": shopper,
        "metadata": carried,
        "payment_intent_data": wanted,
    }
    title = asked.get("description") or asked["reference"]
    opened = checkout.open_session(call, page, minor, code, title, ends)
    return _link(call, call.put({"id": id_, "object": LINK, "asked": asked, "session": opened["id"], "ends": ends}))


def _shopper(call: Call, reference: str | None) -> None:
    """A shopper is whoever is named: the common books keep a customer of that name."""
    if reference is None:
        msg = "Required field 'shopperReference' is not provided."
        raise bad_request(msg, param="shopperReference")
    if call.find(reference) is None:
        call.put(carried_out(call, objects.customer, {}) | {"id": reference})


def _link(call: Call, link: Object) -> Object:
    session = checkout.current_session(call, link["session"])
    asked = link["asked"]
    status = {"open": "active", "complete": "completed"}.get(session["status"], "expired")
    return {
        "id": link["id"],
        "status": status,
        "url": session["url"] or f"{call.base_url}/c/pay/{session['id']}",
        "expiresAt": datetime.fromtimestamp(link["ends"], UTC).isoformat(),
        "merchantAccount": asked["merchantAccount"],
        "reference": asked["reference"],
        "amount": asked["amount"],
        "reusable": False,
    }


def retrieve_link(call: Call) -> Object:
    """GET /paymentLinks/{id}."""
    return _link(call, call.get(LINK, call.id))


def change_link(call: Call) -> Object:
    """PATCH /paymentLinks/{id}: only to `expired`, and only while it is active."""
    link = call.get(LINK, call.id)
    if call.params["status"] != "expired" or _link(call, link)["status"] != "active":
        msg = "Invalid payment link status"
        raise bad_request(msg)
    checkout.close(call, call.get("checkout.session", link["session"]))
    return _link(call, link)


def create_payment(call: Call) -> Object:
    """POST /payments: a charge of a stored card, decided at once."""
    asked = call.params
    minor, code = _sum(asked)
    check_amount(minor, code, call.least)
    shopper, wanted = asked["shopperReference"], asked["paymentMethod"].get("storedPaymentMethodId")
    methods = [one for one in _methods(call, shopper) if one["id"] == wanted]
    if not methods:
        msg = "Token not found"
        raise bad_request(msg)
    carried = _carried(asked, "", asked["reference"])
    made = {"amount": minor, "currency": code, "customer": shopper, "payment_method": wanted, "metadata": carried}
    intent = call.put(objects.payment_intent(call, made))
    try:
        if intents.asks_driver(methods[0]):
            raise intents.decline(call, intent, methods[0], AUTHENTICATION)
        intents.charge(call, intent, methods[0])
    except Refusal as refusal:
        number, words = REASONS.get(
            refusal.error.get("decline_code") or refusal.error.get("code", ""), ("2", "Refused")
        )
        return {
            "pspReference": psp_of(intent["id"]),
            "resultCode": "Refused",
            "refusalReason": words,
            "refusalReasonCode": number,
            "merchantReference": asked["reference"],
        }
    return {
        "pspReference": psp_of(intent["id"]),
        "resultCode": "Authorised",
        "amount": asked["amount"],
        "merchantReference": asked["reference"],
        "paymentMethod": {"type": "scheme", "brand": methods[0]["card"]["brand"]},
    }


def _methods(call: Call, shopper: str) -> list[Object]:
    found = (call.find(one["id"]) for one in call.all_of("payment_method") if one["customer"] == shopper)
    return [one for one in found if one is not None and one["_set_up"]]


def list_methods(call: Call) -> Object:
    """GET /storedPaymentMethods."""
    shopper = call.params.get("shopperReference", "")
    rows = [
        {
            "id": one["id"],
            "type": "scheme",
            "brand": one["card"]["brand"],
            "lastFour": one["card"]["last4"],
            "expiryMonth": f"{one['card']['exp_month']:02d}",
            "expiryYear": str(one["card"]["exp_year"]),
            "supportedRecurringProcessingModels": ["CardOnFile", "UnscheduledCardOnFile"],
        }
        for one in _methods(call, shopper)
    ]
    return {
        "merchantAccount": call.params.get("merchantAccount"),
        "shopperReference": shopper,
        "storedPaymentMethods": rows,
    }


def _intent_of(call: Call, psp: str) -> Object:
    for one in call.all_of("payment_intent"):
        if psp_of(one["id"]) == psp and one["latest_charge"] is not None:
            return intents.current(call, one["id"])
    msg = "Original pspReference required for this operation"
    raise bad_request(msg)


def _modified(call: Call, kind: str, intent: Object, work: Callable[[], Any], minor: int) -> Object:
    """Receive a modification, and carry it out; what became of it is told in a notification."""
    asked = call.params
    made: Object = {
        "id": call.new_id("mod"),
        "object": MODIFICATION,
        "kind": kind,
        "intent": intent["id"],
        "reference": asked.get("reference", ""),
        "minor": minor,
        "failed": None,
    }
    before_puts, before_events = dict(call.change.puts), list(call.change.events)
    try:
        work()
    except Refusal as refusal:
        # Nothing of it is kept but the answer, which comes later.
        call.change.puts.clear()
        call.change.puts.update(before_puts)
        call.change.events[:] = before_events
        made["failed"] = refusal.error["message"]
    call.put(made)
    call.event(f"modification.{kind}", made)
    return {
        "merchantAccount": asked["merchantAccount"],
        "pspReference": psp_of(made["id"]),
        "reference": made["reference"],
        "status": "received",
    }


def capture(call: Call) -> Object:
    """POST /payments/{id}/captures: once, and the rest is released; several times where that is switched on."""
    intent = _intent_of(call, call.id)
    minor, _ = _sum(call.params)
    params: Object = {"amount_to_capture": minor}
    if _is_in_parts(call, intent):
        params["final_capture"] = minor == intent["amount_capturable"]
    answer = _modified(call, "CAPTURE", intent, lambda: carried_out(call, intents.capture, params, intent["id"]), minor)
    return {**answer, "paymentPspReference": call.id, "amount": call.params["amount"]}


def _is_in_parts(call: Call, intent: Object) -> bool:
    """Whether a capture leaves the rest of that hold as it is. Switched on, it counts for all holds of the account."""
    if call.several_captures and intent["latest_charge"] is not None:
        attempt = call.get("charge", intent["latest_charge"])
        intents.card_of(attempt)["multicapture"] = {"status": "available"}
        call.put(attempt)
    return call.several_captures


def cancel(call: Call) -> Object:
    """POST /payments/{id}/cancels: a hold, or what captures have left of one."""
    intent = _intent_of(call, call.id)
    answer = _cancelled(call, intent)
    return {**answer, "paymentPspReference": call.id}


def cancel_by_reference(call: Call) -> Object:
    """POST /cancels: by the reference of the payment, for who does not know its pspReference."""
    reference = call.params["paymentReference"]
    for one in call.all_of("payment_intent"):
        if one["metadata"].get(REFERENCE) == reference and one["latest_charge"] is not None:
            return {**_cancelled(call, intents.current(call, one["id"])), "paymentReference": reference}
    msg = "No payment of that reference"
    raise bad_request(msg)


def _cancelled(call: Call, intent: Object) -> Object:
    def work() -> None:
        if intent["status"] != "requires_capture":
            msg = "Transaction hasn't been found"
            raise bad_request(msg)
        if intent["amount_received"]:
            carried_out(call, intents.capture, {"amount_to_capture": 0, "final_capture": True}, intent["id"])
        else:
            carried_out(call, intents.cancel, {}, intent["id"])

    return _modified(call, "CANCELLATION", intent, work, intent["amount"])


def refund(call: Call) -> Object:
    """POST /payments/{id}/refunds."""
    intent = _intent_of(call, call.id)
    minor, _ = _sum(call.params)
    params = {
        "payment_intent": intent["id"],
        "amount": minor,
        "metadata": {"tallywatt_operation": str(call.params.get("reference", "")).partition("/")[0]},
    }
    answer = _modified(call, "REFUND", intent, lambda: carried_out(call, refunds.create, params), minor)
    return {**answer, "paymentPspReference": call.id, "amount": call.params["amount"]}


def update_amount(call: Call) -> Object:
    """POST /payments/{id}/amountUpdates: a new total of a hold that lives, up or down."""
    intent = _intent_of(call, call.id)
    minor, _ = _sum(call.params)

    def work() -> None:
        held = intents.current(call, intent["id"])
        asked = intent["metadata"].get(WRAPPER) and call.find(intent["metadata"][WRAPPER])
        final = ((asked or {}).get("asked", {}).get("additionalData") or {}).get("authorisationType") != "PreAuth"
        if held["status"] != "requires_capture" or minor < 1 or final:
            msg = "Amount update not possible"
            raise bad_request(msg)
        refused = MAGIC_AMOUNTS.get(minor)
        if refused is not None:
            why = REASONS.get(refused.decline_code or refused.code, ("2", "Refused"))
            raise bad_request(why[1])
        intents.hold_as_much(call, held, minor)

    answer = _modified(call, "AUTHORISATION_ADJUSTMENT", intent, work, minor)
    return {**answer, "paymentPspReference": call.id, "amount": call.params["amount"]}


P: Final = "/checkout/v72"
_LINK_FIELDS: Final = frozenset(
    {
        "additionalData", "allowedPaymentMethods", "amount", "captureDelayHours", "countryCode", "description", "expiresAt",
        "manualCapture", "merchantAccount", "merchantOrderReference", "metadata", "recurringProcessingModel", "reference",
        "returnUrl", "shopperLocale", "shopperReference", "storePaymentMethodMode",
    }
)  # fmt: skip
_PAYMENT_FIELDS: Final = frozenset(
    {
        "amount", "captureDelayHours", "merchantAccount", "merchantOrderReference", "metadata", "paymentMethod",
        "recurringProcessingModel",
        "reference", "returnUrl", "shopperInteraction", "shopperReference",
    }
)  # fmt: skip
_CHANGE: Final = frozenset({"amount", "merchantAccount", "reference", "reason", "merchantRefundReason"})
_UPDATE: Final = frozenset({"amount", "industryUsage", "merchantAccount", "reference"})

_BY_REFERENCE: Final = _CHANGE | {"paymentReference"}
_NEEDED: Final = ("merchantAccount", "amount", "reference", "paymentMethod", "shopperReference")

ROUTES: Final = (
    Route("POST", f"{P}/paymentLinks", create_link, _LINK_FIELDS, ("merchantAccount", "amount", "reference"), 201),
    Route("GET", f"{P}/paymentLinks/{{id}}", retrieve_link),
    Route("PATCH", f"{P}/paymentLinks/{{id}}", change_link, frozenset({"status"}), ("status",)),
    Route("POST", f"{P}/payments", create_payment, _PAYMENT_FIELDS, _NEEDED),
    Route("GET", f"{P}/storedPaymentMethods", list_methods),
    Route("POST", f"{P}/cancels", cancel_by_reference, _BY_REFERENCE, ("merchantAccount", "paymentReference"), 201),
    Route("POST", f"{P}/payments/{{id}}/captures", capture, _CHANGE, ("merchantAccount", "amount"), 201),
    Route("POST", f"{P}/payments/{{id}}/cancels", cancel, _CHANGE, ("merchantAccount",), 201),
    Route("POST", f"{P}/payments/{{id}}/refunds", refund, _CHANGE, ("merchantAccount", "amount"), 201),
    Route("POST", f"{P}/payments/{{id}}/amountUpdates", update_amount, _UPDATE, ("merchantAccount", "amount"), 201),
    *adyen_defence.ROUTES,
    *adyen_terminals.ROUTES,
)  # fmt: skip
_STATUS: Final = {route.handler: route.status for route in ROUTES}


DISPUTED: Final[dict[str, Callable[[Object], tuple[str, ...]]]] = {
    "charge.dispute.created": lambda _: ("NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"),
    "charge.dispute.updated": lambda _: ("INFORMATION_SUPPLIED",),
    "charge.dispute.closed": lambda one: (
        "CHARGEBACK_REVERSED" if one["status"] == "won" else "DISPUTE_DEFENSE_PERIOD_ENDED",
    ),
}
"""The steps that each turn of a dispute is told by."""


def sign(item: Object, key: str) -> str:
    """The signature of a notification: its references, sum, code and success, in Adyen's order (docs.adyen.com: HMAC)."""
    names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
    told = [str(item.get(name, "")) for name in names]
    told += [str(item["amount"]["value"]), item["amount"]["currency"], item["eventCode"], item["success"]]
    digest = hmac.new(bytes.fromhex(key), ":".join(told).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Adyen:
    """JSON requests under an API key, modifications that are only received, notifications signed by field."""

    prefix: str | tuple[str, ...] = ("/checkout/", adyen_defence.PREFIX, adyen_terminals.PREFIX, adyen_terminals.LISTED)
    account_prefix = "adyen_"
    content_type = "application/json"
    key_seconds = 7 * DAY
    """The least that it promises (docs.adyen.com/development-resources/api-idempotency)."""
    keeps_errors = False
    """What failed before any work may be asked again under the same key (docs.adyen.com: API idempotency)."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def account(self, request: Request) -> str:
        """A key of the form `AQE…` in `x-api-key`; one that begins with `AQEdevice` may not list terminals."""
        key = request.headers.get("x-api-key", "")
        if key.startswith("AQEdevice") and request.path.startswith(adyen_terminals.LISTED):
            raise Refusal(403, "security", "Forbidden: the key lacks the role Management API, Terminal actions read")
        if not key.startswith("AQE"):
            msg = "HTTP Status Response - Unauthorized"
            raise unauthorised(msg)
        return account_of(self.account_prefix, key)

    def read(self, request: Request) -> tuple[Handler, str, dict[str, Any]]:
        """Its endpoint, and the fields of its body or query."""
        asked = read_request(ROUTES, request, "Not found")
        if len(request.headers.get("idempotency-key", "")) > LONGEST_KEY:
            msg = "Idempotency key is too long"
            raise bad_request(msg)
        return asked

    def perform(self, call: Call, handler: Handler) -> tuple[int, Any]:
        """The answer, with the status of its endpoint."""
        try:
            return _STATUS[handler], handler(call)
        except Refusal as refusal:
            return self.refused(refusal)

    def refused(self, refusal: Refusal) -> tuple[int, Any]:
        """Its own form of errors: what cannot be done is 422, and so is trouble with a key."""
        by_key = refusal.error["type"] == "idempotency_error"
        status = 422 if by_key or refusal.status in (400, 402) else refusal.status
        kind = {401: "security", 422: "validation"}.get(status, "internal")
        code = KEY_TROUBLE if by_key else {401: "000", 422: "167"}.get(status, "905")
        return status, {"status": status, "errorCode": code, "message": refusal.error["message"], "errorType": kind}

    def headers(
        self,
        request_id: str,
        key: str | None = None,
        *,
        replayed: bool = False,  # noqa: ARG002 - it does not say so
    ) -> tuple[tuple[str, str], ...]:
        """The request's id, and the key again."""
        own = (("pspreference", psp_of(request_id)),)
        return own if key is None else (*own, ("idempotency-key", key))

    def tell(self, book: Book, change: Change) -> list[Object]:
        """A notification for each thing that happened."""
        if self._options.adyen_webhook is None:
            return []
        told = []
        for event in change.events:
            thing = event["data"]["object"]
            whole = change.puts.get(thing["id"]) or book.find(change.account, thing["id"]) or thing
            items = [self._item(book, change, event["type"], whole)]
            if event["type"] in DISPUTED:
                items = [self._disputed(book, change, code, whole) for code in DISPUTED[event["type"]](whole)]
            for number, item in enumerate(one for one in items if one is not None):
                id_ = event["id"] if not number else f"{event['id']}{number}"
                told.append(self._event({**event, "id": id_}, item))
        return told

    def _item(self, book: Book, change: Change, type_: str, thing: Object) -> Object | None:
        match type_:
            case "payment_intent.amount_capturable_updated" if not thing["amount_received"]:
                return self._authorisation(book, change, thing, failed=None)
            case "payment_intent.succeeded" if thing["capture_method"] == "automatic":
                return self._authorisation(book, change, thing, failed=None)
            case "payment_intent.payment_failed":
                error = thing["last_payment_error"]
                why = REASONS.get(error.get("decline_code") or error.get("code", ""), ("2", "Refused"))
                return self._authorisation(book, change, thing, failed=why[1])
            case "payout.paid":
                return self._report(thing)
            case _ if type_.startswith("modification."):
                return self._modification(book, change, thing)
            case _:
                return None

    def _authorisation(self, book: Book, change: Change, intent: Object, *, failed: str | None) -> Object:
        attempt = _known(book, change, intent["latest_charge"])
        card = intents.card_of(attempt)
        # A card that was declined on a page is a payment of its own, and the next card another one.
        of = intent["id"] if failed is None or intent["customer"] else attempt["id"]
        named = {name: value for name, value in intent["metadata"].items() if not name.startswith("_")}
        return {
            "additionalData": {
                "cardSummary": card["last4"],
                "expiryDate": f"{card['exp_month']}/{card['exp_year']}",
                **{f"metadata.{name}": value for name, value in named.items()},
            },
            "amount": {"currency": intent["currency"].upper(), "value": intent["amount"]},
            "eventCode": "AUTHORISATION",
            "merchantAccountCode": intent["metadata"][MERCHANT],
            "merchantReference": intent["metadata"][REFERENCE],
            "paymentMethod": {"mastercard": "mc"}.get(card["brand"], card["brand"]),
            "pspReference": psp_of(of),
            "reason": failed or f"{card['last4']}:1111:12/2031",
            "success": "true" if failed is None else "false",
        }

    def _disputed(self, book: Book, change: Change, code: str, dispute: Object) -> Object:
        """A step of a dispute, each under the number of the dispute."""
        intent = _known(book, change, dispute["payment_intent"])
        ends = datetime.fromtimestamp(dispute["evidence_details"]["due_by"], UTC).isoformat()
        return {
            "additionalData": {
                "chargebackReasonCode": "10.4",
                "defensePeriodEndsAt": ends,
                "modificationMerchantReferences": "",
            },
            "amount": {"currency": dispute["currency"].upper(), "value": dispute["amount"]},
            "eventCode": code,
            "merchantAccountCode": intent["metadata"][MERCHANT],
            "merchantReference": intent["metadata"][REFERENCE],
            "originalReference": psp_of(intent["id"]),
            "paymentMethod": "visa",
            "pspReference": psp_of(dispute["id"]),
            "reason": "Other Fraud-Card Absent Environment",
            "success": "true",
        }

    def _report(self, payout: Object) -> Object | None:
        """A file is ready: its name stands where a payment has its number, its place where a payment has a reason."""
        if "_report" not in payout:
            return None
        url, merchant = payout["_report"], payout["_merchant"]
        return {
            "additionalData": {},
            "amount": {"currency": "EUR", "value": 0},
            "eventCode": "REPORT_AVAILABLE",
            "merchantAccountCode": merchant,
            "merchantReference": "",
            "originalReference": "",
            "pspReference": url.rpartition("/")[2],
            "reason": url,
            "success": "true",
        }

    def _modification(self, book: Book, change: Change, made: Object) -> Object:
        intent = _known(book, change, made["intent"])
        return {
            "additionalData": {},
            "amount": {"currency": intent["currency"].upper(), "value": made["minor"]},
            "eventCode": made["kind"],
            "merchantAccountCode": intent["metadata"][MERCHANT],
            "merchantReference": made["reference"],
            "originalReference": psp_of(made["intent"]),
            "paymentMethod": "visa",
            "pspReference": psp_of(made["of"] if "of" in made else made["id"]),
            "reason": made["failed"] or made.get("why", ""),
            "success": "false" if made["failed"] else "true",
        }

    def _event(self, event: Object, item: Object) -> Object:
        item["eventDate"] = datetime.fromtimestamp(event["created"], UTC).isoformat()
        item["additionalData"]["hmacSignature"] = sign(item, self._options.adyen_hmac_key)
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        return {
            "id": event["id"],
            "object": "event",
            "created": event["created"],
            "type": f"adyen.{item['eventCode']}",
            "_send": {
                "url": self._options.adyen_webhook,
                "body": json.dumps(body),
                "content_type": "application/json",
            },
        }

    def declined_for_good(self, call: Call, session: Object) -> bool:  # noqa: ARG002 - the link stays open
        """Another card may be tried on the link."""
        return False


def _known(book: Book, change: Change, id_: str) -> Object:
    """An object as this change leaves it."""
    found = change.puts.get(id_) or book.find(change.account, id_)
    assert found is not None, "what an event is about is kept"
    return found
