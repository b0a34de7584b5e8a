"""Cards through the official Mollie SDK. It translates; it has no opinion about retries, routing or what comes next.

What differs from others: a payment is its own page; there is no harmless object, so a stored card is charged by the first
request; captures, releases and refunds are received first and done later; a webhook carries an id and no signature, so it
is only a reason to look.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from mollie import ClientSDK, models

from tallywatt.adapters.providers import marks
from tallywatt.adapters.providers import mollie_settlements as settlements
from tallywatt.adapters.providers import mollie_views as views
from tallywatt.adapters.providers.wire import TIMEOUT, Wire, unclear, unclear_status
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Busy, NotSignedIn
from tallywatt.payments.capabilities import CAPABILITIES
from tallywatt.payments.codes import advice_on
from tallywatt.payments.fact import outcome_shown
from tallywatt.payments.operation import Operation, OperationKind
from tallywatt.payments.provider import (
    Declined,
    Enquiry,
    Failed,
    NotSent,
    Outcome,
    Pending,
    ProviderEvent,
    Setup,
    SetupPage,
    StoredMethod,
    Trace,
    Unknown,
    View,
    ViewStatus,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tallywatt.payments.dispute import ToldDispute
    from tallywatt.payments.settlement import ToldLine

SKEW_MS: Final = 3600 * 1000
MOST_LISTED: Final = 250
MOST_PAGES: Final = 20
NO_TOKEN: Final = (
    "its settlements are told to an access token of the organisation alone: tallywatt provider-account reports"
)
_ID: Final = re.compile(r"tr_[A-Za-z0-9_]{1,60}")


class MollieCards:
    """One Mollie profile."""

    capabilities = CAPABILITIES[views.PROVIDER]

    def __init__(
        self,
        api_key: str,
        *,
        live: bool = False,
        base_url: str | None = None,
        webhook_url: str | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        report_token: str | None = None,
    ) -> None:
        self._live = live
        self._webhook_url = webhook_url
        self._wire = Wire(timeout, proxied=base_url is None)
        self._client = ClientSDK(
            security=models.Security(api_key=api_key), server_url=base_url, client=self._wire, retry_config=None
        )
        self._reports = None
        if report_token is not None:
            self._reports = ClientSDK(
                security=models.Security(advanced_access_token=report_token),
                server_url=base_url,
                client=Wire(timeout, proxied=base_url is None),
                retry_config=None,
            )

    # --- what is asked ---

    def send(self, operation: Operation) -> Outcome:
        """Ask exactly what was written down, under the operation's own key."""
        try:
            ref, taken = self._send(operation)
        except httpx.HTTPError as error:
            return unclear(error)
        except (models.ClientError, models.NoResponseError) as error:
            return self._outcome_of(operation, error)
        seen = taken if isinstance(taken, View) else self._look(taken)
        if not isinstance(seen, View):
            # It was received; how it stands will be asked, or told.
            return Pending(View(ViewStatus.PROCESSING), ref)
        shown = outcome_shown(operation, seen, ref)
        if isinstance(shown, Declined):
            return Declined(shown.code, advice_on(views.PROVIDER, shown.code).advice.value, shown.said, seen)
        return shown or Pending(seen, ref)

    def _send(self, operation: Operation) -> tuple[str | None, View | str]:
        """The id of what was made, and how the payment stands or whose state is to be looked at."""
        does: dict[OperationKind, Callable[[dict[str, Any], str], tuple[str | None, View | str]]] = {
            OperationKind.CHARGE: self._charge,
            OperationKind.HOSTED_PAGE: self._open_page,
            OperationKind.CAPTURE: self._capture,
            OperationKind.VOID: self._void,
            OperationKind.REFUND: self._refund,
        }
        return does[operation.kind](operation.asked, operation.idempotency_key)

    def _charge(self, asked: dict[str, Any], key: str) -> tuple[str | None, View | str]:
        request = {
            "amount": views.amount(asked["amount_minor"], asked["currency"]),
            "description": asked.get("invoice") or asked["reference"],
            "sequenceType": "recurring",
            "customerId": asked["customer_ref"],
            "mandateId": asked["method_ref"],
            "metadata": marks.ours(asked),
            **self._told(),
        }
        made = _tree(self._client.payments.create(payment_request=_payment(request), idempotency_key=key))
        return made["id"], views.of_payment(made)

    def _open_page(self, asked: dict[str, Any], key: str) -> tuple[str | None, View | str]:
        request = {
            "amount": views.amount(asked["amount_minor"], asked["currency"]),
            "description": asked["title"][:255],
            "redirectUrl": asked["success_url"],
            "cancelUrl": asked["cancel_url"],
            "method": "creditcard",
            "captureMode": "manual",
            "sequenceType": "oneoff",
            "metadata": marks.ours(asked),
            **self._told(),
        }
        locale = views.LOCALES.get(str(asked.get("language", ""))[:2])
        if locale is not None:
            request["locale"] = locale
        made = _tree(self._client.payments.create(payment_request=_payment(request), idempotency_key=key))
        return made["id"], views.of_payment(made)

    def _told(self) -> dict[str, str]:
        return {} if self._webhook_url is None else {"webhookUrl": self._webhook_url}

    def _capture(self, asked: dict[str, Any], key: str) -> tuple[str | None, View | str]:
        ref = asked["provider_ref"]
        capture = models.EntityCapture.model_validate(
            {
                "amount": views.amount(asked["amount_minor"], asked["currency"]),
                "metadata": {marks.OPERATION: asked["operation_id"], **marks.about(asked)},
            }
        )
        done = self._client.captures.create(payment_id=ref, entity_capture=capture, idempotency_key=key)
        return done.id, ref

    def _void(self, asked: dict[str, Any], key: str) -> tuple[str | None, View | str]:
        ref = asked.get("provider_ref") or asked["page_ref"]
        if asked["amount_minor"] == 0:
            # Nothing is held yet: closing the page is what keeps it so.
            closed = self._client.payments.cancel(payment_id=ref, idempotency_key=key)
            return ref, views.of_payment(_tree(closed))
        self._client.payments.release_authorization(payment_id=ref, idempotency_key=key)
        return ref, ref

    def _refund(self, asked: dict[str, Any], key: str) -> tuple[str | None, View | str]:
        ref = asked["provider_ref"]
        refund = models.RefundRequest.model_validate(
            {
                "amount": views.amount(asked["amount_minor"], asked["currency"]),
                "description": asked.get("invoice") or asked["reference"],
                "metadata": marks.ours(asked),
            }
        )
        made = self._client.refunds.create(payment_id=ref, refund_request=refund, idempotency_key=key)
        return made.id, ref

    def _outcome_of(self, operation: Operation, error: Exception) -> Outcome:
        if not isinstance(error, models.ClientError) or isinstance(error, models.ResponseValidationError):
            return Unknown(f"the answer cannot be read: {type(error).__name__}")
        said = _said(error)
        found = unclear_status(error.status_code, error.headers.get("retry-after"), said)
        if found is not None:
            return found
        ref = operation.asked.get("provider_ref") or operation.asked.get("page_ref")
        # A refusal because of how things stand is worth a look at how they stand: somebody may have been there before.
        seen = self._look(ref) if ref is not None and error.status_code != httpx.codes.NOT_FOUND else None
        return Failed(_field(error) or "refused", said, seen if isinstance(seen, View) else None)

    # --- how it stands ---

    def enquire(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        """How a payment stands, by id if known, else by the reference that every object of ours carries."""
        ref = enquiry.provider_ref or enquiry.page_ref
        return self._look(ref) if ref is not None else self._search(enquiry)

    def _look(self, ref: str) -> View | NotSent | Unknown | None:
        found = self._asked(lambda: self._whole(ref))
        return found if isinstance(found, NotSent | Unknown | None) else views.of_payment(*found)

    def _whole(self, ref: str) -> tuple[views.Tree, list[views.Tree], list[views.Tree]]:
        payment = _tree(self._client.payments.get(payment_id=ref))
        refunds, captures = [], []
        if views.minor_of(payment.get("amountRefunded")) or payment["_links"].get("refunds"):
            listed = self._client.refunds.list(payment_id=ref, limit=MOST_LISTED)
            refunds = _rows(listed, "refunds")
        if payment["status"] == "authorized" and payment["_links"].get("captures"):
            captures = _rows(self._client.captures.list(payment_id=ref, limit=MOST_LISTED), "captures")
        return payment, refunds, captures

    def _asked(self, question: Callable[[], Any]) -> Any:
        """The answer; None for what is not there, and the reason when it cannot be known."""
        try:
            return question()
        except httpx.HTTPError as error:
            return unclear(error)
        except (models.ClientError, models.NoResponseError) as error:
            if not isinstance(error, models.ClientError) or isinstance(error, models.ResponseValidationError):
                return Unknown(f"the answer cannot be read: {type(error).__name__}")
            if error.status_code == httpx.codes.NOT_FOUND:
                return None
            found = unclear_status(error.status_code, error.headers.get("retry-after"), _said(error))
            return found or Unknown(_said(error))

    def _search(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        def search() -> Any:
            for payment in self._payments_since(Instant(enquiry.created_at - SKEW_MS)):
                if views.carried(payment).get(marks.PAYMENT) == enquiry.payment_id:
                    return views.of_payment(*self._whole(payment["id"]))
            return None

        found: View | NotSent | Unknown | None = self._asked(search)
        return found

    def _payments_since(self, since: Instant) -> Iterator[views.Tree]:
        """All payments made since then, newest first. Broken off with BadInput when there are too many to tell."""
        start: str | None = None
        for _ in range(MOST_PAGES):
            listed = self._client.payments.list(from_=start, limit=MOST_LISTED, sort=models.Sorting.DESC)
            for one in _rows(listed, "payments"):
                made = views.moment(one["createdAt"])
                if made is not None and made < since:
                    return
                yield one
            start = _next(listed)
            if start is None:
                return
        msg = "more payments than can be looked through"
        raise BadInput(msg, code="payment.too_many_to_list")

    def list_since(self, since: Instant) -> tuple[Trace, ...] | NotSent | Unknown:
        """Every payment of ours that was made or given back since then."""
        try:
            found = self._asked(lambda: tuple(self._traces(Instant(since - SKEW_MS))))
        except BadInput as error:
            return Unknown(error.message)
        told: tuple[Trace, ...] | NotSent | Unknown = Unknown("the list is not there") if found is None else found
        return told

    def _traces(self, since: Instant) -> Iterator[Trace]:
        told: set[str] = set()
        for payment in self._payments_since(since):
            told.add(payment["id"])
            if marks.PAYMENT in views.carried(payment):
                yield self._trace(payment["id"])
        start: str | None = None
        for _ in range(MOST_PAGES):
            listed = self._client.refunds.all(from_=start, limit=MOST_LISTED, sort=models.Sorting.DESC)
            for refund in _rows(listed, "refunds"):
                made = views.moment(refund["createdAt"])
                if made is not None and made < since:
                    return
                ref = refund["paymentId"]
                # Of a payment from before: the refund is what is new about it.
                if ref not in told and marks.PAYMENT in views.carried(refund):
                    told.add(ref)
                    yield self._trace(ref)
            start = _next(listed)
            if start is None:
                return

    def _trace(self, ref: str) -> Trace:
        payment, refunds, captures = self._whole(ref)
        kept = views.carried(payment)
        return Trace(
            kept[marks.PAYMENT],
            views.of_payment(payment, refunds, captures),
            account_id=kept.get(marks.ACCOUNT),
            customer_ref=payment.get("customerId"),
            session_id=kept.get(marks.SESSION),
            invoice_number=kept.get(marks.INVOICE),
        )

    # --- what became of the money ---

    def list_settlements(self, since: Instant) -> tuple[ToldLine, ...] | NotSent | Unknown:
        """Every movement since then, with its settlement."""
        client = self._reports
        if client is None:
            return Unknown(NO_TOKEN)
        told: tuple[ToldLine, ...] | NotSent | Unknown = self._listed(
            lambda: tuple(settlements.lines_since(client, since - SKEW_MS))
        )
        return told

    def list_disputes(self, since: Instant, now: Instant) -> tuple[ToldDispute, ...] | NotSent | Unknown:
        """Every chargeback since then."""
        told: tuple[ToldDispute, ...] | NotSent | Unknown = self._listed(
            lambda: tuple(settlements.disputes_since(self._client, since, now))
        )
        return told

    def _listed(self, question: Callable[[], tuple[Any, ...]]) -> Any:
        try:
            found = self._asked(question)
        except settlements.TooMany as error:
            return Unknown(f"more {error} than can be looked through")
        except (LookupError, TypeError, ValueError) as error:
            return Unknown(f"the answer cannot be read: {type(error).__name__}")
        return Unknown("the list is not there") if found is None else found

    # --- what it tells by itself ---

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:  # noqa: ARG002 - it signs nothing
        """How the payment stands whose id a webhook carries. Anybody may send one, so only Mollie's own answer counts."""
        ref = parse_qs(body[:1000].decode("utf-8", "replace")).get("id", [""])[-1]
        if not _ID.fullmatch(ref):
            msg = "a webhook that names no payment"
            raise BadInput(msg, code="webhook.unreadable")
        found = self._asked(lambda: self._whole(ref))
        if isinstance(found, NotSent | Unknown):
            msg = f"the provider could not be asked about it: {found.cause}"
            raise Busy(msg, code="webhook.provider_silent", remedy="send it again later")
        if found is None:
            msg = "the account knows no payment of that id"
            raise NotSignedIn(msg, code="webhook.bad_signature")
        payment, refunds, captures = found
        if (payment["mode"] == "live") != self._live:
            msg = "a webhook of the other mode, test or live"
            raise NotSignedIn(msg, code="webhook.wrong_mode")
        said_at = self._wire.said_at() or views.moment(payment["createdAt"]) or Instant(0)
        payment_id = views.carried(payment).get(marks.PAYMENT)
        attention = "refund.failed" if any(one["status"] == "failed" for one in refunds) else None
        taken_back = self._chargeback(payment)
        if isinstance(taken_back, NotSent | Unknown):
            msg = f"the provider could not be asked about it: {taken_back.cause}"
            raise Busy(msg, code="webhook.provider_silent", remedy="send it again later")
        return ProviderEvent(
            views.event_id(payment, (*refunds, *((taken_back,) if taken_back else ())), captures),
            f"payment.{payment['status']}",
            said_at,
            payment_id if isinstance(payment_id, str) else None,
            ref,
            views.of_payment(payment, refunds, captures),
            attention,
            dispute=settlements.told_dispute(taken_back, said_at) if taken_back else None,
        )

    def _chargeback(self, payment: views.Tree) -> views.Tree | NotSent | Unknown | None:
        """The newest chargeback of a payment; others come with the list that is read every few hours."""
        if not views.minor_of(payment.get("amountChargedBack")):
            return None
        listed = self._asked(
            lambda: _rows(self._client.chargebacks.list(payment_id=payment["id"], limit=MOST_LISTED), "chargebacks")
        )
        if isinstance(listed, NotSent | Unknown) or not listed:
            return listed or None
        newest: views.Tree = max(listed, key=lambda one: one["createdAt"])
        return newest

    # --- stored methods ---

    def open_setup(self, setup: Setup) -> SetupPage:
        """A first payment of nothing: its page asks for the card, and the customer's consent to later charges."""
        try:
            customer = self._client.customers.create(
                entity_customer=models.EntityCustomer.model_validate({"metadata": {marks.CUSTOMER: setup.reference}}),
                idempotency_key=f"{setup.key}/customer",
            )
            request = {
                "amount": views.amount(0, setup.currency),
                "description": setup.title[:255],
                "redirectUrl": setup.return_url,
                "method": "creditcard",
                "sequenceType": "first",
                "customerId": customer.id,
                "metadata": {marks.CUSTOMER: setup.reference},
            }
            made = _tree(
                self._client.payments.create(payment_request=_payment(request), idempotency_key=f"{setup.key}/first")
            )
        except (httpx.HTTPError, models.NoResponseError) as error:
            msg = f"the provider could not be asked: {type(error).__name__}"
            raise Busy(msg, code="payment.provider_silent", remedy="try again later") from error
        except models.ClientError as error:
            msg = f"the provider refuses a page for a card: {_said(error)}"
            raise BadInput(msg, code="payment.setup_refused") from error
        return SetupPage(made["_links"]["checkout"]["href"], customer.id)

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:  # noqa: ARG002 - it takes no tokens
        """The card that a customer of Mollie's has left there: `token` is the customer's id, of a first payment."""
        found = self._asked(lambda: _rows(self._client.mandates.list(customer_id=token, limit=50), "mandates"))
        if isinstance(found, NotSent | Unknown):
            msg = f"the provider could not be asked: {found.cause}"
            raise Busy(msg, code="payment.provider_silent", remedy="try again later")
        for mandate in found or []:
            if mandate["status"] == "valid" and mandate["method"] == "creditcard":
                details = mandate["details"]
                brand = str(details.get("cardLabel") or "card").lower()
                return StoredMethod(token, mandate["id"], brand, str(details.get("cardNumber") or "")[-4:])
        msg = "this customer has no valid card there: its first payment was not made, or was declined"
        raise BadInput(msg, code="payment.card_not_accepted")


def _payment(request: dict[str, Any]) -> models.PaymentRequest:
    return models.PaymentRequest.model_validate(request)


def _tree(document: Any) -> dict[str, Any]:
    """A document of the SDK's as it was on the wire."""
    tree: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return tree


def _rows(listed: Any, name: str) -> list[dict[str, Any]]:
    """The rows of one page of a list."""
    if listed is None:
        return []
    rows: list[dict[str, Any]] = _tree(listed.result)["_embedded"].get(name) or []
    return rows


def _next(listed: Any) -> str | None:
    """Where the next page of a list begins."""
    link = _tree(listed.result)["_links"].get("next") if listed is not None else None
    return parse_qs(urlsplit(link["href"]).query).get("from", [None])[0] if link else None


def _said(error: models.ClientError) -> str:
    if isinstance(error, models.ErrorResponse):
        return error.data.detail
    return error.message


def _field(error: models.ClientError) -> str | None:
    return error.data.field if isinstance(error, models.ErrorResponse) else None
