"""What the provider's API serves: each endpoint with what it takes and who carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.simulators.psp import checkout, customers, intents, lists, payouts, readers, refunds, stripe_defence
from tallywatt.simulators.psp.forms import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call
    from tallywatt.simulators.psp.forms import Schema


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: method, path with at most one id in it, parameters, and the function that carries it out."""

    method: str
    path: str
    handler: Callable[[Call], Object]
    schema: Schema
    required: tuple[str, ...] = ()

    def match(self, method: str, segments: tuple[str, ...]) -> str | None:
        """The id in the path (empty when the path has none) if the request is for this endpoint, else None."""
        own = tuple(self.path.strip("/").split("/"))
        if method != self.method or len(own) != len(segments):
            return None
        found = ""
        for mine, given in zip(own, segments, strict=True):
            if mine == "{id}":
                found = given
            elif mine != given:
                return None
        return found


_ONE: Final[Schema] = {"expand": [TEXT]}


def _kept(kind: str) -> Callable[[Call], Object]:
    def retrieve(call: Call) -> Object:
        return call.get(kind, call.id)

    return retrieve


ENDPOINTS: Final = (
    Endpoint("POST", "/v1/payment_intents", intents.create, intents.CREATE, ("amount", "currency")),
    Endpoint("POST", "/v1/payment_intents/{id}/confirm", intents.confirm, intents.CONFIRM),
    Endpoint("POST", "/v1/payment_intents/{id}/capture", intents.capture, intents.CAPTURE),
    Endpoint(
        "POST", "/v1/payment_intents/{id}/increment_authorization", intents.increment, intents.INCREMENT, ("amount",)
    ),
    Endpoint("POST", "/v1/payment_intents/{id}/cancel", intents.cancel, intents.CANCEL),
    Endpoint("GET", "/v1/payment_intents/search", lists.search_intents, lists.SEARCH, ("query",)),
    Endpoint("GET", "/v1/payment_intents/{id}", intents.retrieve, intents.RETRIEVE),
    Endpoint(
        "GET", "/v1/payment_intents", lists.listing("payment_intent", "/v1/payment_intents", "customer"), lists.INTENTS
    ),
    Endpoint("POST", "/v1/terminal/readers", readers.create, readers.CREATE, ("registration_code",)),
    Endpoint("GET", "/v1/terminal/readers/{id}", readers.retrieve, _ONE),
    Endpoint("GET", "/v1/terminal/readers", lists.listing(readers.READER, "/v1/terminal/readers"), lists.METHODS),
    Endpoint(
        "POST",
        "/v1/terminal/readers/{id}/process_payment_intent",
        readers.process,
        readers.PROCESS,
        ("payment_intent",),
    ),
    Endpoint(
        "POST", "/v1/terminal/readers/{id}/set_reader_display", readers.display, readers.DISPLAY, ("type", "cart")
    ),
    Endpoint("POST", "/v1/terminal/readers/{id}/cancel_action", readers.cancel, _ONE),
    Endpoint("POST", "/v1/test_helpers/terminal/readers/{id}/present_payment_method", readers.present, readers.PRESENT),
    Endpoint("POST", "/v1/refunds", refunds.create, refunds.CREATE),
    Endpoint("GET", "/v1/refunds/{id}", _kept("refund"), _ONE),
    Endpoint("GET", "/v1/refunds", lists.listing("refund", "/v1/refunds", "charge", "payment_intent"), lists.REFUNDS),
    Endpoint("POST", "/v1/checkout/sessions", checkout.create, checkout.CREATE, ("mode", "success_url")),
    Endpoint("POST", "/v1/checkout/sessions/{id}/expire", checkout.expire, _ONE),
    Endpoint("GET", "/v1/checkout/sessions/{id}", checkout.retrieve, _ONE),
    Endpoint(
        "GET",
        "/v1/checkout/sessions",
        lists.listing("checkout.session", "/v1/checkout/sessions", "customer", "payment_intent", "status"),
        lists.SESSIONS,
    ),
    Endpoint("POST", "/v1/customers", customers.create, customers.CREATE),
    Endpoint("GET", "/v1/customers/{id}", customers.retrieve, _ONE),
    Endpoint(
        "GET", "/v1/customers", lists.listing("customer", "/v1/customers", "email"), {**lists.METHODS, "email": TEXT}
    ),
    Endpoint("POST", "/v1/payment_methods/{id}/attach", customers.attach, customers.ATTACH, ("customer",)),
    Endpoint("POST", "/v1/payment_methods/{id}/detach", customers.detach, _ONE),
    Endpoint("GET", "/v1/payment_methods/{id}", customers.retrieve_method, _ONE),
    Endpoint(
        "GET",
        "/v1/payment_methods",
        lists.listing("payment_method", "/v1/payment_methods", "customer", "type"),
        lists.METHODS,
    ),
    Endpoint("POST", "/v1/setup_intents", customers.create_setup, customers.SETUP),
    Endpoint("POST", "/v1/setup_intents/{id}/confirm", customers.confirm_setup, customers.SETUP_CONFIRM),
    Endpoint("GET", "/v1/setup_intents/{id}", customers.retrieve_setup, _ONE),
    Endpoint("GET", "/v1/charges/{id}", _kept("charge"), _ONE),
    Endpoint("GET", "/v1/charges", lists.listing("charge", "/v1/charges", "customer", "payment_intent"), lists.CHARGES),
    Endpoint("GET", "/v1/balance_transactions/{id}", _kept("balance_transaction"), _ONE),
    Endpoint(
        "GET",
        "/v1/balance_transactions",
        lists.listing("balance_transaction", "/v1/balance_transactions", "currency", "payout", "source", "type"),
        lists.TRANSACTIONS,
    ),
    Endpoint("GET", "/v1/disputes/{id}", _kept("dispute"), _ONE),
    Endpoint("POST", "/v1/disputes/{id}", stripe_defence.answer, stripe_defence.ANSWER),
    Endpoint("POST", "/v1/disputes/{id}/close", stripe_defence.close, _ONE),
    Endpoint("POST", "/v1/files", stripe_defence.upload, stripe_defence.UPLOAD, ("purpose", "file")),
    Endpoint("GET", "/v1/files/{id}", _kept("file"), _ONE),
    Endpoint(
        "GET", "/v1/disputes", lists.listing("dispute", "/v1/disputes", "charge", "payment_intent"), lists.REFUNDS
    ),
    Endpoint("GET", "/v1/payouts/{id}", _kept("payout"), _ONE),
    Endpoint("GET", "/v1/payouts", lists.listing("payout", "/v1/payouts", "status"), payouts.PAYOUTS),
    Endpoint("GET", "/v1/events/{id}", _kept("event"), _ONE),
    Endpoint("GET", "/v1/events", lists.listing("event", "/v1/events", "type"), lists.EVENTS),
)


def find_endpoint(method: str, path: str) -> tuple[Endpoint, str] | None:
    """The endpoint of a request, with the id in its path."""
    segments = tuple(path.strip("/").split("/"))
    for endpoint in ENDPOINTS:
        id_ = endpoint.match(method, segments)
        if id_ is not None:
            return endpoint, id_
    return None
