"""Cards through the official Stripe SDK. It translates; it has no opinion about retries, routing or what comes next.

The SDK's own retries and telemetry are off: a retry is a decision that is written down, and a lost answer must be seen as one.
"""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import httpx
import stripe

from tallywatt.adapters.providers import marks
from tallywatt.adapters.providers import stripe_readers as readers
from tallywatt.adapters.providers import stripe_views as views
from tallywatt.adapters.providers.stripe_defence import Defence
from tallywatt.adapters.providers.stripe_disputes import disputes_since, told_dispute
from tallywatt.adapters.providers.stripe_settlements import lines_since
from tallywatt.adapters.providers.wire import DISPLAY_TIMEOUT
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, NotSignedIn
from tallywatt.payments.capabilities import CAPABILITIES
from tallywatt.payments.codes import Advice, standard
from tallywatt.payments.fact import outcome_shown
from tallywatt.payments.operation import Operation, OperationKind
from tallywatt.payments.provider import (
    Declined,
    Enquiry,
    Failed,
    NotSent,
    Outcome,
    ProviderEvent,
    StoredMethod,
    Trace,
    Unknown,
    View,
    ViewStatus,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stripe._v1_services import V1Services
    from stripe.params import PaymentIntentCaptureParams, PaymentIntentListParams
    from stripe.params.checkout import SessionCreateParams

    from tallywatt.payments.dispute import ToldDispute
    from tallywatt.payments.settlement import ToldLine

TIMEOUT: Final = httpx.Timeout(20.0, connect=3.0, pool=3.0)
"""Shorter than the lease of the job that calls: a worker that is still waiting has not lost its job to another one."""
SIGNATURE_SECONDS: Final = 300
SKEW_SECONDS: Final = 3600
"""How far the provider's clock may be from ours when an object is looked for by the time it was made."""
MOST_LISTED: Final = 1000
_WITH_CHARGE: Final = ["latest_charge", "latest_charge.refunds"]
_NEVER_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
RENEWED: Final = ("payment_method.automatically_updated",)
DECLINABLE: Final = (OperationKind.CHARGE, OperationKind.PREPARE, OperationKind.PRESENT, OperationKind.ADJUST)
_NEEDS_PERSON: Final = ("charge.dispute.", "refund.failed", "radar.early_fraud_warning.")

stripe.enable_telemetry = False


class _Wire(stripe.HTTPXClient):
    """The SDK's own client; a provider at an address of its own (the simulator) is not asked through a proxy."""

    def __init__(self, timeout: httpx.Timeout, *, proxied: bool) -> None:
        super().__init__(timeout=timeout, allow_sync_methods=True)
        if not proxied:
            self._client = httpx.Client(trust_env=False)


LATEST = 2**52
"""Milliseconds: a moment beyond it is none."""


def _text_of(value: object) -> str:
    """A text that can be stored; ValueError for anything else."""
    if not isinstance(value, str) or not value or "\0" in value or not value.isprintable():
        raise ValueError(value)
    return value


def _client_within(secret_key: str, base_url: str | None, timeout: httpx.Timeout) -> V1Services:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": base_url, "files": base_url} if base_url is not None else {},
        http_client=_Wire(timeout, proxied=base_url is None),
        max_network_retries=0,
    ).v1


class StripeCards(Defence):
    """One Stripe account."""

    capabilities = CAPABILITIES[views.PROVIDER]

    def __init__(
        self,
        secret_key: str,
        webhook_secrets: tuple[str, ...],
        *,
        live: bool = False,
        base_url: str | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._webhook_secrets = webhook_secrets
        self._live = live
        self._client_within = partial(_client_within, secret_key, base_url)
        # One client for all calls: a connection is opened once and kept.
        self._client = self._client_within(timeout)

    @cached_property
    def _hasty(self) -> V1Services:
        """For what nobody waits for: a card is not asked for a moment later because a display is slow."""
        return self._client_within(DISPLAY_TIMEOUT)

    def send(self, operation: Operation) -> Outcome:
        """Ask exactly what was written down, under the operation's own key."""
        try:
            view, ref = self._send(operation)
        except stripe.StripeError as error:
            return self._outcome_of(operation, error)
        return outcome_shown(operation, view, ref) or Unknown("the answer does not show what became of it", view=view)

    def _send(self, operation: Operation) -> tuple[View, str | None]:
        asked = operation.asked
        options: Any = {"idempotency_key": operation.idempotency_key}
        send: Callable[[dict[str, Any], Any], tuple[View, str | None]] = {
            OperationKind.PREPARE: self._prepare,
            OperationKind.CHARGE: self._charge,
            OperationKind.HOSTED_PAGE: self._open_page,
            OperationKind.PRESENT: self._present,
            OperationKind.ADJUST: self._adjust,
            OperationKind.CAPTURE: self._capture,
            OperationKind.VOID: self._void,
            OperationKind.REFUND: self._refund,
        }[operation.kind]
        return send(asked, options)

    def _prepare(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        if "reader_ref" in asked:
            for_reader = readers.prepare(self._client, asked, options)
            return _seen(for_reader), for_reader.id
        made = self._client.payment_intents.create(
            {
                "amount": asked["amount_minor"],
                "currency": asked["currency"].lower(),
                "customer": asked["customer_ref"],
                "payment_method": asked["method_ref"],
                "allowed_payment_method_types": ["card"],
                "capture_method": "automatic",
                "metadata": marks.ours(asked),
            },
            options,
        )
        return _seen(made), made.id

    def _charge(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        done = self._client.payment_intents.confirm(
            asked["provider_ref"],
            {"payment_method": asked["method_ref"], "off_session": True, "expand": ["latest_charge"]},
            options,
        )
        return _seen(done), done.id

    def _present(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        ref = asked["provider_ref"]
        readers.show(self._hasty, asked, options)
        seen = readers.present(self._client, asked, options, _tree)
        if seen.status is ViewStatus.PROCESSING:
            seen = _seen(self._client.payment_intents.retrieve(ref, {"expand": _WITH_CHARGE}))
        return seen, ref

    def _open_page(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        params: SessionCreateParams = {
            "mode": "payment",
            "allowed_payment_method_types": ["card"],
            "line_items": [
                {
                    "price_data": {
                        "currency": asked["currency"].lower(),
                        "unit_amount": asked["amount_minor"],
                        "product_data": {"name": asked["title"]},
                    },
                    "quantity": 1,
                }
            ],
            "payment_intent_data": {"capture_method": "manual", "metadata": marks.ours(asked)},
            "payment_method_options": {
                "card": {
                    "request_incremental_authorization": "if_available",
                    "request_multicapture": "if_available",
                }
            },
            "client_reference_id": asked["reference"],
            "metadata": marks.ours(asked),
            "success_url": asked["success_url"],
            "cancel_url": asked["cancel_url"],
            "expires_at": asked["expires_at"],
        }
        if "language" in asked:
            params["locale"] = asked["language"]
        made = self._client.checkout.sessions.create(params, options)
        return views.of_session(_tree(made)), made.id

    def _adjust(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        done = self._client.payment_intents.increment_authorization(
            asked["provider_ref"], {"amount": asked["amount_minor"], "expand": ["latest_charge"]}, options
        )
        return _seen(done), done.id

    def _capture(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        params: PaymentIntentCaptureParams = {
            "amount_to_capture": asked["amount_minor"],
            "metadata": {"tallywatt_capture": asked["operation_id"], **marks.about(asked)},
            "expand": ["latest_charge"],
        }
        if asked.get("final") is False:
            params["final_capture"] = False
        done = self._client.payment_intents.capture(asked["provider_ref"], params, options)
        return _seen(done), done.id

    def _void(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        if asked["amount_minor"] == 0 and "page_ref" in asked:
            # Nothing is held yet: closing the page is what keeps it so.
            closed = self._client.checkout.sessions.expire(asked["page_ref"], {}, options)
            return views.of_session(_tree(closed)), closed.id
        if "reader_ref" in asked:
            given_up = readers.give_up(self._client, asked, options)
            return _seen(given_up), given_up.id
        if asked.get("taken_minor"):
            # An intent of which a part was captured is not cancelled; capturing nothing more lets the rest go.
            ended = self._client.payment_intents.capture(
                asked["provider_ref"],
                {"amount_to_capture": 0, "final_capture": True, "expand": ["latest_charge"]},
                options,
            )
            return _seen(ended), ended.id
        done = self._client.payment_intents.cancel(asked["provider_ref"], {}, options)
        return _seen(done), done.id

    def _refund(self, asked: dict[str, Any], options: Any) -> tuple[View, str | None]:
        done = self._client.refunds.create(
            {
                "payment_intent": asked["provider_ref"],
                "amount": asked["amount_minor"],
                "reason": "requested_by_customer",
                "metadata": marks.ours(asked),
                "expand": ["charge", "charge.refunds"],
            },
            options,
        )
        tree = _tree(done)
        return views.of_charge(tree["charge"]), tree["id"]

    def _outcome_of(self, operation: Operation, error: stripe.StripeError) -> Outcome:
        if isinstance(error, stripe.CardError):
            return self._declined(operation, error)
        if isinstance(error, stripe.InvalidRequestError) and error.code == readers.SILENT:
            return Unknown("the reader did not answer in time", ended=_is_replayed(error))
        if isinstance(error, stripe.InvalidRequestError):
            view = _view_in(error) or self._look_again(operation, error)
            return Failed(readers.WORDS.get(error.code or "", error.code) or "refused", error.user_message or "", view)
        return unclear(error)

    def _declined(self, operation: Operation, error: stripe.CardError) -> Outcome:
        detail = _detail(error)
        said = error.user_message or ""
        if operation.kind not in DECLINABLE:
            return Failed(error.code or "refused", said, _view_in(error))
        found = standard(views.PROVIDER, detail.get("decline_code"), error.code)
        advice = Advice.DO_NOT_RETRY if detail.get("advice_code") == "do_not_try_again" else found.advice
        return Declined(found.code, advice.value, said, _view_in(error))

    def _look_again(self, operation: Operation, error: stripe.InvalidRequestError) -> View | None:
        """A refusal because of how things stand is worth a look at how they stand: somebody may have been there before."""
        asked = operation.asked
        if error.http_status == httpx.codes.NOT_FOUND:
            return None
        enquiry = Enquiry(operation.payment_id, operation.created_at, asked.get("provider_ref"), asked.get("page_ref"))
        if enquiry.provider_ref is None and enquiry.page_ref is None:
            return None
        seen = self.enquire(enquiry)
        return seen if isinstance(seen, View) else None

    def enquire(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        """How a payment stands, by id if known, else by the reference that every object of ours carries."""
        try:
            if enquiry.provider_ref is not None:
                found = self._client.payment_intents.retrieve(enquiry.provider_ref, {"expand": _WITH_CHARGE})
                return readers.enquire(self._client, enquiry, _seen(found))
            if enquiry.page_ref is not None:
                expand = [f"payment_intent.{path}" for path in _WITH_CHARGE]
                page = self._client.checkout.sessions.retrieve(enquiry.page_ref, {"expand": expand})
                return views.of_session(_tree(page))
            return self._search(enquiry)
        except stripe.InvalidRequestError as error:
            return None if error.http_status == httpx.codes.NOT_FOUND else Unknown(str(error))
        except stripe.StripeError as error:
            return unclear(error)

    def _search(self, enquiry: Enquiry) -> View | None:
        since = enquiry.created_at // 1000 - SKEW_SECONDS
        params: PaymentIntentListParams = {"created": {"gte": since}, "limit": 100, "expand": ["data.latest_charge"]}
        if enquiry.customer_ref is not None:
            params["customer"] = enquiry.customer_ref
        for place, intent in enumerate(self._client.payment_intents.list(params).auto_paging_iter()):
            if intent.metadata.to_dict().get(marks.PAYMENT) == enquiry.payment_id:
                return views.of_intent(intent.to_dict())
            if place >= MOST_LISTED:
                break
        pages = self._client.checkout.sessions.list({"created": {"gte": since}, "limit": 100})
        for place, page in enumerate(pages.auto_paging_iter()):
            if page.client_reference_id == enquiry.payment_id:
                return views.of_session(page.to_dict())
            if place >= MOST_LISTED:
                break
        return None

    def knows_reader(self, reader_ref: str) -> bool | NotSent | Unknown:
        """Whether a reader of that name is registered in the account, in this mode."""
        try:
            return not self._client.terminal.readers.retrieve(reader_ref).to_dict().get("deleted", False)
        except stripe.InvalidRequestError as error:
            return False if error.http_status == httpx.codes.NOT_FOUND else Unknown(str(error))
        except stripe.StripeError as error:
            return unclear(error)

    def list_since(self, since: Instant) -> tuple[Trace, ...] | NotSent | Unknown:
        """Every payment of ours that was made or given back since then, whether or not it is known here."""
        try:
            return tuple(self._traces(since // 1000 - SKEW_SECONDS))
        except stripe.StripeError as error:
            return unclear(error)

    def _traces(self, since: int) -> Iterator[Trace]:
        told: set[str] = set()
        params: Any = {"created": {"gte": since}, "limit": 100}
        listed: PaymentIntentListParams = {
            "created": {"gte": since},
            "limit": 100,
            "expand": ["data.latest_charge", "data.latest_charge.refunds"],
        }
        for one in self._client.payment_intents.list(listed).auto_paging_iter():
            told.add(one.id)
            if (trace := _trace(one.to_dict())) is not None:
                yield trace
        for refund in self._client.refunds.list(params).auto_paging_iter():
            # Of a payment from before: the refund is what is new about it.
            ref = refund.to_dict().get("payment_intent")
            if ref is not None and ref not in told:
                told.add(ref)
                found = self._client.payment_intents.retrieve(ref, {"expand": _WITH_CHARGE})
                if (trace := _trace(_tree(found))) is not None:
                    yield trace
        for page in self._client.checkout.sessions.list(params).auto_paging_iter():
            shown = page.to_dict()
            payment_id = views.payment_of(shown)
            if payment_id is not None and shown.get("payment_intent") is None:
                yield Trace(payment_id, views.of_session(shown), shown["metadata"].get(marks.ACCOUNT))

    def list_settlements(self, since: Instant) -> tuple[ToldLine, ...] | NotSent | Unknown:
        """Every movement on the balance since then, with its fee and the payout in which it went to the bank."""
        try:
            return tuple(lines_since(self._client, since // 1000 - SKEW_SECONDS))
        except stripe.StripeError as error:
            return unclear(error)

    def list_disputes(self, since: Instant, now: Instant) -> tuple[ToldDispute, ...] | NotSent | Unknown:
        """Every dispute that was opened since then, as it stands now."""
        try:
            return tuple(disputes_since(self._client, since // 1000 - SKEW_SECONDS, now))
        except stripe.StripeError as error:
            return unclear(error)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """The event in a webhook that one of the account's secrets has signed within the last five minutes."""
        self._check_signature(headers.get("stripe-signature", ""), body)
        try:
            event = json.loads(body)
            thing = event["data"]["object"]
            type_, event_id, said_at = _text_of(event["type"]), _text_of(event["id"]), Instant(event["created"] * 1000)
            if not -LATEST < said_at < LATEST:
                raise ValueError(event["created"])
            view, payment_id = views.view_of(thing), views.payment_of(thing)
            if type_ in readers.EVENTS:
                view = readers.of_reader(thing)
            ref = thing.get("payment_intent") if view is None else view.provider_ref
            dispute = told_dispute(thing, said_at) if thing.get("object") == "dispute" else None
            renewed = views.stored_of(thing) if type_ in RENEWED else None
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            msg = "a signed webhook that is not an event"
            raise BadInput(msg, code="webhook.unreadable") from error
        if bool(event.get("livemode")) != self._live:
            msg = "a webhook of the other mode, test or live"
            raise NotSignedIn(msg, code="webhook.wrong_mode")
        attention = type_ if dispute is None and type_.startswith(_NEEDS_PERSON) else None
        return ProviderEvent(
            event_id,
            type_,
            said_at,
            payment_id,
            ref if isinstance(ref, str) else None,
            view,
            attention,
            dispute,
            renewed=renewed,
        )

    def _check_signature(self, header: str, body: bytes) -> None:
        text = body.decode("utf-8", "replace")
        for secret in self._webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(text, header, secret, SIGNATURE_SECONDS)
            except stripe.SignatureVerificationError:
                continue
            return
        msg = "no secret of this account has signed this webhook within the last five minutes"
        raise NotSignedIn(msg, code="webhook.bad_signature")

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:
        """Keep a card for charges without the driver. A decline raises BadInput: there is somebody to tell."""
        try:
            customer = self._client.customers.create(
                {"metadata": {marks.CUSTOMER: reference}}, {"idempotency_key": f"{key}/customer"}
            )
            method = self._client.payment_methods.attach(
                token, {"customer": customer.id}, {"idempotency_key": f"{key}/method"}
            )
        except stripe.CardError as error:
            msg = f"the card was not accepted: {error.user_message}"
            raise BadInput(msg, code="payment.card_not_accepted") from error
        card = _tree(method)["card"]
        return StoredMethod(customer.id, method.id, card["brand"], card["last4"])


def unclear(error: stripe.StripeError) -> NotSent | Unknown:
    """What an error tells when it tells nothing about the payment: whether the provider can have acted on it."""
    if isinstance(error, stripe.APIConnectionError):
        if isinstance(error.__cause__, _NEVER_CONNECTED):
            return NotSent(f"no connection: {error.__cause__}")
        return Unknown(f"the answer was lost: {type(error.__cause__).__name__}")
    if isinstance(error, stripe.RateLimitError):
        return NotSent("throttled", _retry_after(error))
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        return NotSent("the provider does not accept our key")
    if isinstance(error, stripe.IdempotencyError):
        # The key is known with other bytes: something was sent under it, and what became of that is not known.
        return Unknown("the key was used for another request", ended=True)
    return Unknown(f"status {error.http_status}: {_detail(error).get('code')}", ended=_is_replayed(error))


def _is_replayed(error: stripe.StripeError) -> bool:
    """Whether it is the answer to an earlier sending: no other one will come under this key."""
    return (error.headers or {}).get("idempotent-replayed") == "true"


def _retry_after(error: stripe.StripeError) -> int | None:
    said = (error.headers or {}).get("retry-after", "")
    return int(said) if said.isdigit() else None


def _detail(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    found: dict[str, Any] = body.get("error") or {} if isinstance(body, dict) else {}
    return found


def _view_in(error: stripe.StripeError) -> View | None:
    """The payment intent that an error carries."""
    intent = _detail(error).get("payment_intent")
    return views.of_intent(intent) if isinstance(intent, dict) else None


def _trace(intent: dict[str, Any]) -> Trace | None:
    """What an intent tells of one of our payments; None for somebody else's."""
    payment_id = views.payment_of(intent)
    if payment_id is None:
        return None
    carried = intent["metadata"]
    customer = intent.get("customer")
    return Trace(
        payment_id,
        views.of_intent(intent),
        account_id=carried.get(marks.ACCOUNT),
        customer_ref=customer["id"] if isinstance(customer, dict) else customer,
        session_id=carried.get(marks.SESSION),
        invoice_number=carried.get(marks.INVOICE),
    )


def _seen(intent: stripe.PaymentIntent) -> View:
    return views.of_intent(_tree(intent))


def _tree(thing: Any) -> dict[str, Any]:
    """The answer as it was read from the wire: the SDK keeps it, and walking its objects again costs as much as the call."""
    if thing.last_response is not None:
        found: dict[str, Any] = thing.last_response.data
        return found
    tree: dict[str, Any] = thing.to_dict()
    return tree
