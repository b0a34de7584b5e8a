"""Mollie's API over the common books (docs.mollie.com/reference): payments, captures, refunds, customers and mandates.

A payment is a page and an intent of the common books; what it shows follows from them. Webhooks carry an id and nothing
else. A card that is declined on the page ends the payment, as Mollie's own page does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp import checkout, intents, mollie_balances, mollie_objects, objects, refunds
from tallywatt.simulators.psp.cards import AUTHENTICATION
from tallywatt.simulators.psp.currencies import check_amount, check_currency
from tallywatt.simulators.psp.dialects import DAY, WRAPPER, account_of
from tallywatt.simulators.psp.mollie_objects import minor_of
from tallywatt.simulators.psp.paths import Route, carried_out, read_request
from tallywatt.simulators.psp.refusals import Refusal, bad_request, unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.book import Book, Change, Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.wire import Request

    Handler = Callable[[Call], Any]

PAYMENT: Final = "mollie.payment"
CAPTURE: Final = "mollie.capture"
PAGE_SECONDS: Final = 30 * 60
"""How long a card payment can be paid on its page."""
MOST_LISTED: Final = 250
NEWS: Final = frozenset(
    {
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "checkout.session.expired",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
    }
)


def create_payment(call: Call) -> Object:
    """POST /v2/payments."""
    asked = call.params
    code = check_currency(asked["amount"]["currency"].lower())
    minor = minor_of(asked["amount"])
    kind = asked.get("sequenceType", "oneoff")
    if minor or kind != "first":
        check_amount(minor, code, call.least)
    if kind != "oneoff" and "customerId" not in asked:
        msg = "The customerId is required for first and recurring payments."
        raise bad_request(msg, param="customerId")
    if "customerId" in asked:
        call.get("customer", asked["customerId"], "customerId")
    if kind != "recurring" and "redirectUrl" not in asked:
        msg = "The redirect URL is missing."
        raise bad_request(msg, param="redirectUrl")
    id_ = call.new_id("tr")
    given = asked.get("metadata")
    kept: Object = given if isinstance(given, dict) else {}
    payment: Object = {
        "id": id_,
        "object": PAYMENT,
        "created": call.now,
        "asked": asked,
        "session": None,
        "intent": None,
        "canceled_at": None,
        "failed_at": None,
        "captures": [],
    }
    carried = {WRAPPER: id_, **{str(name): str(value) for name, value in kept.items()}}
    manual = asked.get("captureMode") == "manual"
    wanted = {"capture_method": "manual" if manual else "automatic", "metadata": carried}
    if kind == "recurring":
        payment["intent"] = _charge_mandate(call, asked, minor, code, wanted)["id"]
    else:
        if kind == "first":
            wanted["setup_future_usage"] = "off_session"
        page = {
            "success_url": asked["redirectUrl"],
            "cancel_url": asked.get("cancelUrl"),
            "customer": asked.get("customerId"),
            "metadata": carried,
            "payment_intent_data": wanted,
        }
        opened = checkout.open_session(call, page, minor, code, asked["description"], call.now + PAGE_SECONDS)
        payment["session"] = opened["id"]
    return shown(call, call.put(payment))


def _charge_mandate(call: Call, asked: Object, minor: int, code: str, wanted: Object) -> Object:
    """Take the sum from a card that the customer has stored; whether the issuer agrees is the payment's status."""
    method = _mandate(call, asked["customerId"], asked.get("mandateId"))
    intent = call.put(
        objects.payment_intent(
            call,
            {
                "amount": minor,
                "currency": code,
                "customer": asked["customerId"],
                "payment_method": method["id"],
                **wanted,
            },
        )
    )
    try:
        if intents.asks_driver(method):
            raise intents.decline(call, intent, method, AUTHENTICATION)
        intents.charge(call, intent, method)
    except Refusal:
        pass  # the payment exists, and has failed
    return intent


def _mandate(call: Call, customer: str, id_: str | None) -> Object:
    mine = [one for one in _methods(call, customer) if id_ in (None, mollie_objects.mandate_id(one))]
    if not mine:
        msg = "No suitable mandates found for customer."
        raise bad_request(msg, param="mandateId")
    return mine[0]


def _methods(call: Call, customer: str) -> list[Object]:
    found = (call.find(one["id"]) for one in call.all_of("payment_method") if one["customer"] == customer)
    return [one for one in found if one is not None and one["_set_up"]]


def shown(call: Call, payment: Object) -> Object:
    """A payment as it is now."""
    session = checkout.current_session(call, payment["session"]) if payment["session"] else None
    reference = session["payment_intent"] if session is not None else payment["intent"]
    intent = intents.current(call, reference) if reference else None
    attempt = call.find(intent["latest_charge"]) if intent is not None and intent["latest_charge"] else None
    return mollie_objects.payment(call, payment, session, intent, attempt)


def settled_payments(call: Call) -> Object:
    """GET /v2/settlements/{id}/payments: those that were taken at once."""
    rows = []
    for booked, charge in mollie_balances.settled(call, "charge"):
        payment = mollie_balances.payment_of(call, charge["payment_intent"])
        if not payment["captures"]:
            rows.append(mollie_balances.in_settlement(call, booked, shown(call, payment)))
    return mollie_balances.listed(call, "payments", rows)


def _payment(call: Call) -> Object:
    return call.get(PAYMENT, call.id)


def _intent_of(call: Call, payment: Object) -> Object:
    reference = payment["intent"]
    if payment["session"]:
        reference = call.get("checkout.session", payment["session"])["payment_intent"]
    if reference is None:
        msg = "The payment has not been authorized."
        raise bad_request(msg)
    return intents.current(call, reference)


def retrieve_payment(call: Call) -> Object:
    """GET /v2/payments/{id}."""
    return shown(call, _payment(call))


def cancel_payment(call: Call) -> Object:
    """DELETE /v2/payments/{id}: an open page is closed, a hold is released."""
    payment = _payment(call)
    now = shown(call, payment)
    if not now["isCancelable"]:
        msg = "The payment cannot be canceled."
        raise bad_request(msg)
    if now["status"] == "authorized":
        carried_out(call, intents.cancel, {}, _intent_of(call, payment)["id"])
    else:
        checkout.close(call, call.get("checkout.session", payment["session"]))
    return shown(call, call.put(payment | {"canceled_at": call.now}))


def release(call: Call) -> None:
    """POST /v2/payments/{id}/release-authorization: received; the webhook tells when it was done."""
    payment = _payment(call)
    if shown(call, payment)["status"] != "authorized":
        msg = "The payment has no authorization to release."
        raise bad_request(msg)
    carried_out(call, intents.cancel, {}, _intent_of(call, payment)["id"])
    call.put(payment | {"canceled_at": call.now})


def list_payments(call: Call) -> Object:
    """GET /v2/payments, newest first."""
    return _page(call, "payments", [shown(call, one) for one in _window(call, PAYMENT)])


def _window(call: Call, kind: str, **fields: str) -> list[Object]:
    rows = [one for one in call.all_of(kind) if all(one[name] == value for name, value in fields.items())]
    if "from" in call.params:
        ids = [one["id"] for one in rows]
        if call.params["from"] not in ids:
            msg = "The 'from' parameter is not valid."
            raise bad_request(msg, param="from")
        rows = rows[ids.index(call.params["from"]) :]
    return rows


def _page(call: Call, name: str, rows: list[Object]) -> Object:
    limit = int(call.params.get("limit", 50))
    if not 1 <= limit <= MOST_LISTED:
        msg = f"The limit must be between 1 and {MOST_LISTED}."
        raise bad_request(msg, param="limit")
    return mollie_objects.page(call, name, rows, limit)


def create_capture(call: Call) -> Object:
    """POST /v2/payments/{id}/captures: once; what is not captured is released."""
    payment = _payment(call)
    intent = _intent_of(call, payment)
    asked = call.params
    minor = minor_of(asked["amount"]) if asked.get("amount") else intent["amount_capturable"]
    if intent["status"] != "requires_capture":
        msg = "The payment is not in a state in which it can be captured."
        raise bad_request(msg)
    carried_out(call, intents.capture, {"amount_to_capture": minor}, intent["id"])
    made = call.put(
        {
            "id": call.new_id("cpt"),
            "object": CAPTURE,
            "created": call.now,
            "payment": payment["id"],
            "minor": minor,
            "currency": intent["currency"],
            "metadata": asked.get("metadata"),
            "description": asked.get("description", ""),
            "status": "succeeded",
        }
    )
    call.put(payment | {"captures": [*payment["captures"], made["id"]]})
    # It was only received at this moment; the webhook tells when it was done.
    return mollie_objects.capture(call, made | {"status": "pending"})


def list_captures(call: Call) -> Object:
    """GET /v2/payments/{id}/captures."""
    payment = _payment(call)
    rows = [mollie_objects.capture(call, call.get(CAPTURE, id_)) for id_ in payment["captures"]]
    return _page(call, "captures", rows)


def create_refund(call: Call) -> Object:
    """POST /v2/payments/{id}/refunds."""
    payment = _payment(call)
    intent = _intent_of(call, payment)
    asked = call.params
    if intent["status"] != "succeeded":
        msg = "The payment cannot be refunded: it is not paid."
        raise bad_request(msg)
    kept = asked.get("metadata") or {}
    wanted = {"payment_intent": intent["id"], "amount": minor_of(asked["amount"]), "metadata": kept}
    made = call.put(carried_out(call, refunds.create, wanted) | {"description": asked.get("description", "")})
    return mollie_objects.refund(call, payment["id"], made) | {"status": "pending"}


def list_refunds(call: Call) -> Object:
    """GET /v2/payments/{id}/refunds."""
    payment = _payment(call)
    session = call.find(payment["session"]) if payment["session"] else None
    reference = session["payment_intent"] if session is not None else payment["intent"]
    rows = [one for one in _window(call, "refund") if one["payment_intent"] == reference]
    return _page(call, "refunds", [mollie_objects.refund(call, payment["id"], one) for one in rows])


def list_all_refunds(call: Call) -> Object:
    """GET /v2/refunds, newest first."""
    rows = []
    for one in _window(call, "refund"):
        intent = call.find(one["payment_intent"])
        wrapper = intent["metadata"].get(WRAPPER) if intent is not None else None
        if wrapper is not None:
            rows.append(mollie_objects.refund(call, wrapper, one))
    return _page(call, "refunds", rows)


def create_customer(call: Call) -> Object:
    """POST /v2/customers."""
    made = objects.customer(call) | {"id": call.new_id("cst"), "metadata": call.params.get("metadata")}
    return mollie_objects.customer(call, call.put(made))


def retrieve_customer(call: Call) -> Object:
    """GET /v2/customers/{id}."""
    return mollie_objects.customer(call, call.get("customer", call.id))


def list_mandates(call: Call) -> Object:
    """GET /v2/customers/{id}/mandates."""
    customer = call.get("customer", call.id)
    rows = [mollie_objects.mandate(call, one) for one in _methods(call, customer["id"])]
    return _page(call, "mandates", rows)


_PAYMENT_FIELDS: Final = frozenset(
    {
        "amount", "cancelUrl", "captureMode", "customerId", "description", "locale", "mandateId", "metadata", "method",
        "redirectUrl", "sequenceType", "webhookUrl",
    }
)  # fmt: skip
_CAPTURE_FIELDS: Final = frozenset({"amount", "description", "metadata"})

ROUTES: Final = (
    Route("POST", "/v2/payments", create_payment, _PAYMENT_FIELDS, ("amount", "description"), 201),
    Route("GET", "/v2/payments", list_payments),
    Route("GET", "/v2/payments/{id}", retrieve_payment),
    Route("DELETE", "/v2/payments/{id}", cancel_payment),
    Route("POST", "/v2/payments/{id}/release-authorization", release, status=202),
    Route("POST", "/v2/payments/{id}/captures", create_capture, _CAPTURE_FIELDS, status=201),
    Route("GET", "/v2/payments/{id}/captures", list_captures),
    Route("POST", "/v2/payments/{id}/refunds", create_refund, _CAPTURE_FIELDS, ("amount",), 201),
    Route("GET", "/v2/payments/{id}/refunds", list_refunds),
    Route("GET", "/v2/refunds", list_all_refunds),
    Route("POST", "/v2/customers", create_customer, frozenset({"name", "email", "locale", "metadata"}), (), 201),
    Route("GET", "/v2/customers/{id}", retrieve_customer),
    Route("GET", "/v2/customers/{id}/mandates", list_mandates),
    Route("GET", "/v2/balances", mollie_balances.list_balances),
    Route("GET", "/v2/balances/{id}/transactions", mollie_balances.list_transactions),
    Route("GET", "/v2/settlements", mollie_balances.list_settlements),
    Route("GET", "/v2/settlements/{id}/payments", settled_payments),
    Route("GET", "/v2/settlements/{id}/captures", mollie_balances.settled_captures),
    Route("GET", "/v2/settlements/{id}/refunds", mollie_balances.settled_refunds),
    Route("GET", "/v2/settlements/{id}/chargebacks", mollie_balances.settled_chargebacks),
    Route("GET", "/v2/chargebacks", mollie_balances.list_chargebacks),
    Route("GET", "/v2/payments/{id}/chargebacks", mollie_balances.list_of_payment),
)
_STATUS: Final = {route.handler: route.status for route in ROUTES}

TITLES: Final = {
    401: "Unauthorized Request",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Mollie:
    """JSON requests, answers as HAL documents, webhooks that carry an id."""

    prefix: str | tuple[str, ...] = "/v2/"
    account_prefix = "mollie_"
    content_type = "application/hal+json"
    key_seconds = DAY
    keeps_errors = True

    def account(self, request: Request) -> str:
        """A bearer key of the form `test_…`, or the token of its organisation, `access_…`."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        kind, _, rest = key.partition("_")
        if scheme.lower() != "bearer" or kind not in ("test", "access") or not rest:
            msg = "Missing authentication, or failed to authenticate"
            raise unauthorised(msg)
        mollie_balances.check_token(request.path, key)
        key = f"test_{rest}"
        return account_of(self.account_prefix, key)

    def read(self, request: Request) -> tuple[Handler, str, dict[str, Any]]:
        """Its endpoint, and the fields of its body or query."""
        return read_request(ROUTES, request, "No such resource.")

    def perform(self, call: Call, handler: Handler) -> tuple[int, Any]:
        """The document, with the status of its endpoint."""
        try:
            return _STATUS[handler], handler(call)
        except Refusal as refusal:
            return self.refused(refusal)

    def refused(self, refusal: Refusal) -> tuple[int, Any]:
        """Its own form of errors: what cannot be done is 422."""
        status = 409 if refusal.error["type"] == "idempotency_error" else refusal.status
        status = 422 if status in (400, 402) else status
        error = {
            "status": status,
            "title": TITLES.get(status, "Error"),
            "detail": refusal.error["message"],
            "_links": {"documentation": mollie_objects.link("https://docs.mollie.com/errors", "text/html")},
        }
        if "param" in refusal.error:
            error["field"] = refusal.error["param"]
        return status, error

    def headers(
        self,
        request_id: str,
        key: str | None = None,  # noqa: ARG002 - it says nothing of keys
        *,
        replayed: bool = False,  # noqa: ARG002 - as above
    ) -> tuple[tuple[str, str], ...]:
        """The request's id."""
        return (("x-request-id", request_id),)

    def tell(self, book: Book, change: Change) -> list[Object]:
        """One webhook for each payment of which there is news, to the address that it was made with."""
        told: dict[str, Object] = {}
        for event in change.events:
            thing = event["data"]["object"]
            if event["type"] not in NEWS:
                continue
            of = thing["payment_intent"] if thing["object"] in ("charge", "dispute") else thing["id"]
            wrapper = _known(book, change, _known(book, change, of)["metadata"].get(WRAPPER, ""))
            url = wrapper.get("asked", {}).get("webhookUrl")
            if url is None or wrapper["id"] in told:
                continue
            told[wrapper["id"]] = {
                "id": event["id"],
                "object": "event",
                "created": event["created"],
                "type": PAYMENT,
                "_send": {
                    "url": url,
                    "body": f"id={wrapper['id']}",
                    "content_type": "application/x-www-form-urlencoded",
                },
            }
        return list(told.values())

    def declined_for_good(self, call: Call, session: Object) -> bool:
        """A declined card ends the payment."""
        wrapper = call.get(PAYMENT, session["metadata"][WRAPPER])
        call.put(wrapper | {"failed_at": call.now})
        call.put(call.get("checkout.session", session["id"]) | {"status": "expired", "url": None})
        return True


def _known(book: Book, change: Change, id_: str) -> Object:
    """An object as this change leaves it."""
    return change.puts.get(id_) or book.find(change.account, id_) or {"metadata": {}}
