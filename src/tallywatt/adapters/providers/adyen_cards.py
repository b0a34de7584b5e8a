"""Cards through the official Adyen SDK. It translates; it has no opinion about retries, routing or what comes next.

What differs from others: everything is received first and decided in a signed notification; a payment cannot be asked
about, only its page can; a hold that was placed while its page was being closed is cancelled by our own reference.
"""

from __future__ import annotations

import binascii
import json
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx
from Adyen import Adyen, AdyenError
from Adyen.exceptions import AdyenAPIResponseError
from Adyen.util import is_valid_hmac_notification

from tallywatt.adapters.providers import adyen_disputes as disputes
from tallywatt.adapters.providers import adyen_views as views
from tallywatt.adapters.providers import marks
from tallywatt.adapters.providers.adyen_files import ReportFiles
from tallywatt.adapters.providers.adyen_readers import Terminals
from tallywatt.adapters.providers.wire import DISPLAY_TIMEOUT, TIMEOUT, Wire, unclear, unclear_status
from tallywatt.kernel.errors import BadInput, Broken, Busy, NotSignedIn
from tallywatt.payments.capabilities import CAPABILITIES
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
    from collections.abc import Callable, Mapping

    from tallywatt.kernel.clock import Instant

VERSION: Final = "v72"
KEY_IN_USE: Final = "704"
"""The same key is being worked on, or came with another request."""
LOCALES: Final = {"de": "de-DE", "en": "en-GB", "es": "es-ES", "fr": "fr-FR", "it": "it-IT", "nl": "nl-NL"}


class _Http:
    """The SDK's own clients cannot tell a connection that never was from an answer that was lost; this one can."""

    user_agent = "tallywatt"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def request(
        self, method: str, url: str, *, json: Any = None, xapikey: str = "", headers: dict[str, str] | None = None
    ) -> tuple[str, Any, int, httpx.Headers]:
        """Text, request, status and headers, as the SDK wants them."""
        body = json if method in ("POST", "PATCH") else None
        answer = self._wire.request(method, url, json=body, headers={**(headers or {}), "x-api-key": xapikey})
        return answer.text, json, answer.status_code, answer.headers


class AdyenCards(ReportFiles, disputes.Defence):
    """One merchant account at Adyen."""

    capabilities = CAPABILITIES[views.PROVIDER]

    def __init__(
        self,
        api_key: str,
        hmac_keys: tuple[str, ...] = (),
        *,
        merchant: str = "",
        live: bool = False,
        base_url: str | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        report_access: tuple[str, str] | None = None,
        account_id: str | None = None,
    ) -> None:
        super().__init__(merchant, report_access, base_url, account_id, live=live)
        if live and base_url is None:
            msg = "a live account at Adyen has an endpoint of its own"
            raise Broken(msg, code="payment.live_endpoint_missing", remedy="give it as the base URL of the account")
        self._hmac_keys = hmac_keys
        self._merchant = merchant
        self._live = live

        def client_within(patience: httpx.Timeout) -> Adyen:
            made = Adyen(xapikey=api_key, platform="live" if live else "test", live_endpoint_prefix="own")
            made.client.http_client = _Http(Wire(patience, proxied=base_url is None or live))
            made.client.http_init = True
            return made

        client = client_within(timeout)
        self._checkout = client.checkout
        self._disputes = client.disputes.disputes_api
        # For what nobody waits for: a card is not asked for a moment later because a display is slow.
        hasty = cache(lambda: client_within(DISPLAY_TIMEOUT).client)
        self._terminals = Terminals(client.client, merchant, self.own_place, live=live, hasty=hasty)
        if base_url is not None:
            for one in ("payment_links_api", "payments_api", "modifications_api", "recurring_api"):
                getattr(self._checkout, one).baseUrl = f"{base_url.rstrip('/')}/{VERSION}"
        if self.own_place is not None:
            self._disputes.baseUrl = f"{self.own_place}/ca/services/DisputeService/{disputes.VERSION}"
        elif live:
            self._disputes.baseUrl = self._disputes.baseUrl.replace("ca-test", "ca-live")

    # --- what is asked ---

    def send(self, operation: Operation) -> Outcome:
        """Ask exactly what was written down, under the operation's own key."""
        does: dict[OperationKind, Callable[[dict[str, Any], str], Outcome | View]] = {
            OperationKind.CHARGE: self._charge,
            OperationKind.HOSTED_PAGE: self._open_page,
            OperationKind.PRESENT: lambda asked, _: self._present(asked),
            OperationKind.ADJUST: self._adjust,
            OperationKind.CAPTURE: self._capture,
            OperationKind.VOID: self._void,
            OperationKind.REFUND: self._refund,
        }
        try:
            done = does[operation.kind](operation.asked, operation.idempotency_key)
        except httpx.HTTPError as error:
            return unclear(error)
        except AdyenAPIResponseError as error:
            return _unclear_answer(error) or Failed(str(error.error_code or "refused"), _said(error))
        except (AdyenError, LookupError, TypeError, ValueError) as error:
            return Unknown(f"the answer cannot be read: {type(error).__name__}")
        if not isinstance(done, View):
            return done
        ref = done.page_ref if operation.kind is OperationKind.HOSTED_PAGE else done.provider_ref
        return outcome_shown(operation, done, ref) or Pending(done, ref)

    def _charge(self, asked: dict[str, Any], key: str) -> Outcome | View:
        minor, code = asked["amount_minor"], asked["currency"]
        request = {
            "merchantAccount": self._merchant,
            "amount": {"value": minor, "currency": code},
            "reference": asked["reference"] + views.CHARGE,
            "paymentMethod": {"type": "scheme", "storedPaymentMethodId": asked["method_ref"]},
            "shopperReference": asked["customer_ref"],
            "shopperInteraction": "ContAuth",
            "recurringProcessingModel": "UnscheduledCardOnFile",
            "captureDelayHours": 0,
            "metadata": marks.ours(asked),
            **_order(asked),
        }
        answer = self._checkout.payments_api.payments(request, idempotency_key=key).message
        view = views.of_charge(answer, minor, code)
        if view.status is ViewStatus.DECLINED:
            why = views.refusal(answer)
            return Declined(why.code, why.advice.value, str(answer.get("refusalReason") or why.code), view)
        return view

    def _open_page(self, asked: dict[str, Any], key: str) -> View:
        request = {
            "merchantAccount": self._merchant,
            "amount": {"value": asked["amount_minor"], "currency": asked["currency"]},
            "reference": asked["reference"],
            "description": asked["title"][:280],
            "returnUrl": asked["success_url"],
            "expiresAt": datetime.fromtimestamp(int(asked["expires_at"]), UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "allowedPaymentMethods": ["scheme", "applepay", "googlepay"],
            "manualCapture": True,
            # A hold of this kind can grow; one that is final cannot.
            "additionalData": {"authorisationType": "PreAuth"},
            "metadata": marks.ours(asked),
            **_order(asked),
        }
        locale = LOCALES.get(str(asked.get("language", ""))[:2])
        if locale is not None:
            request["shopperLocale"] = locale
        return views.of_link(self._checkout.payment_links_api.payment_links(request, idempotency_key=key).message)

    def _adjust(self, asked: dict[str, Any], key: str) -> Outcome:
        request = {**self._modification(asked), "amount": _amount(asked), "industryUsage": "delayedCharge"}
        ref = asked["provider_ref"]
        answer = self._checkout.modifications_api.update_authorised_amount(request, ref, idempotency_key=key)
        return _received(answer.message, ref)

    def _capture(self, asked: dict[str, Any], key: str) -> Outcome:
        request = {**self._modification(asked), "amount": _amount(asked)}
        ref = asked["provider_ref"]
        answer = self._checkout.modifications_api.capture_authorised_payment(request, ref, idempotency_key=key)
        return _received(answer.message, ref)

    def _refund(self, asked: dict[str, Any], key: str) -> Outcome:
        request = {**self._modification(asked), "amount": _amount(asked)}
        ref = asked["provider_ref"]
        answer = self._checkout.modifications_api.refund_captured_payment(request, ref, idempotency_key=key)
        return _received(answer.message, ref)

    def _void(self, asked: dict[str, Any], key: str) -> Outcome | View:
        ref = asked.get("provider_ref")
        if ref is None and "reader_ref" in asked:
            return self._terminals.give_up(asked)
        changes = self._checkout.modifications_api
        if ref is not None:
            answer = changes.cancel_authorised_payment_by_psp_reference(
                self._modification(asked), ref, idempotency_key=key
            )
            return _received(answer.message, ref)
        try:
            # Nothing is held as far as we know: closing the page is what keeps it so.
            return views.of_link(
                self._checkout.payment_links_api.update_payment_link({"status": "expired"}, asked["page_ref"]).message
            )
        except AdyenAPIResponseError as error:
            if _unclear_answer(error) is not None:
                raise
        # It was paid at the last moment, and we do not know under which id: our own reference is enough to let it go.
        request = {**self._modification(asked), "paymentReference": asked["reference"]}
        return _received(changes.cancel_authorised_payment(request, idempotency_key=key).message, None)

    def _modification(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"merchantAccount": self._merchant, "reference": views.modification(asked)}

    def _present(self, asked: dict[str, Any]) -> Outcome | View:
        self._terminals.show(asked)
        return self._terminals.present(asked)

    # --- how it stands ---

    def enquire(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        """How a page stands. A payment itself cannot be asked about."""
        if enquiry.reader_ref is not None:
            return self._ask_terminal(enquiry)
        if enquiry.page_ref is None or enquiry.provider_ref is not None:
            return Unknown("this provider tells of payments by notifications alone")
        try:
            return views.of_link(self._checkout.payment_links_api.get_payment_link(enquiry.page_ref).message)
        except httpx.HTTPError as error:
            return unclear(error)
        except AdyenAPIResponseError as error:
            if error.status_code == httpx.codes.NOT_FOUND:
                return None
            return _unclear_answer(error) or Unknown(_said(error))

    def _ask_terminal(self, enquiry: Enquiry) -> View | NotSent | Unknown | None:
        """How it went at a terminal; what it answers otherwise, or not at all, tells nothing."""
        try:
            return self._terminals.enquire(enquiry)
        except httpx.HTTPError as error:
            return unclear(error)
        except AdyenAPIResponseError as error:
            return _unclear_answer(error) or Unknown(_said(error))
        except (AdyenError, LookupError, TypeError, ValueError, AttributeError) as error:
            return Unknown(f"the answer of the terminal cannot be read: {type(error).__name__}")

    def knows_reader(self, reader_ref: str) -> bool | NotSent | Unknown | None:
        """Whether a terminal of that name is assigned to the account; None for a key without the role to list terminals."""
        try:
            return self._terminals.knows(reader_ref)
        except httpx.HTTPError as error:
            return unclear(error)
        except AdyenAPIResponseError as error:
            if error.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                return None
            return _unclear_answer(error) or Unknown(_said(error))
        except (AdyenError, LookupError, TypeError, ValueError, AttributeError) as error:
            return Unknown(f"the list of terminals cannot be read: {type(error).__name__}")

    def list_since(self, since: Instant) -> tuple[Trace, ...] | NotSent | Unknown:  # noqa: ARG002 - it keeps no list
        """It lists nothing: what is missing here is in its settlement report."""
        return Unknown("this provider lists no payments; compare with its settlement report")

    # --- what it tells by itself ---

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:  # noqa: ARG002 - the body is signed
        """The notification in a webhook that one of the account's keys has signed. A second delivery has the same id."""
        try:
            told = json.loads(body)
            (wrapped,) = told["notificationItems"]
            item = wrapped["NotificationRequestItem"]
        except (ValueError, LookupError, TypeError) as error:
            msg = "a webhook that is not one notification"
            raise BadInput(msg, code="webhook.unreadable") from error
        if not any(_signed(item, key) for key in self._hmac_keys):
            msg = "no key of this account has signed this notification"
            raise NotSignedIn(msg, code="webhook.bad_signature")
        if (str(told.get("live")).lower() == "true") != self._live:
            msg = "a webhook of the other mode, test or live"
            raise NotSignedIn(msg, code="webhook.wrong_mode")
        is_report = item.get("eventCode") == views.REPORT
        if self._merchant and not is_report and item.get("merchantAccountCode") != self._merchant:
            msg = "a notification for another merchant account"
            raise NotSignedIn(msg, code="webhook.bad_signature")
        try:
            return _event(item)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            msg = "a signed webhook that is not an event"
            raise BadInput(msg, code="webhook.unreadable") from error

    # --- stored methods ---

    def open_setup(self, setup: Setup) -> SetupPage:
        """A link for nothing: its page asks for the card, and stores it for charges without its holder."""
        request = {
            "merchantAccount": self._merchant,
            "amount": {"value": 0, "currency": setup.currency},
            "reference": setup.reference + views.SETUP,
            "description": setup.title[:280],
            "returnUrl": setup.return_url,
            "allowedPaymentMethods": ["scheme"],
            "shopperReference": setup.reference,
            "storePaymentMethodMode": "enabled",
            "recurringProcessingModel": "UnscheduledCardOnFile",
        }
        try:
            made = self._checkout.payment_links_api.payment_links(request, idempotency_key=setup.key).message
        except httpx.HTTPError as error:
            msg = f"the provider could not be asked: {type(error).__name__}"
            raise Busy(msg, code="payment.provider_silent", remedy="try again later") from error
        except AdyenAPIResponseError as error:
            msg = f"the provider refuses a page for a card: {_said(error)}"
            raise BadInput(msg, code="payment.setup_refused") from error
        return SetupPage(made["url"], setup.reference)

    def store_method(self, reference: str, token: str, key: str) -> StoredMethod:  # noqa: ARG002 - it takes no tokens
        """The card that a shopper has left there: `token` is the shopper's reference."""
        query = {"merchantAccount": self._merchant, "shopperReference": token}
        try:
            answer = self._checkout.recurring_api.get_tokens_for_stored_payment_details(query_parameters=query)
        except (httpx.HTTPError, AdyenAPIResponseError) as error:
            msg = f"the provider could not be asked: {type(error).__name__}"
            raise Busy(msg, code="payment.provider_silent", remedy="try again later") from error
        for one in answer.message.get("storedPaymentMethods") or []:
            if one.get("type") == "scheme":
                return StoredMethod(token, one["id"], one["brand"], one["lastFour"])
        msg = "this customer has no card there"
        raise BadInput(msg, code="payment.card_not_accepted")


def _event(item: dict[str, Any]) -> ProviderEvent:
    code = item["eventCode"]
    payment_id, (asked, _) = views.payment_of(item), views.modified(item.get("merchantReference"))
    ref = item.get("originalReference") or (item["pspReference"] if payment_id is not None else None)
    return ProviderEvent(
        views.event_id(item),
        code,
        views.said_at(item),
        payment_id,
        ref,
        views.of_notification(item),
        code.lower() if code in views.NEEDS_PERSON else None,
        operation_id=asked if payment_id is None and code != views.REPORT else None,
        dispute=disputes.told_dispute(item),
        report=str(item.get("reason") or "") or None if code == views.REPORT else None,
    )


def _signed(item: dict[str, Any], key: str) -> bool:
    try:
        return bool(is_valid_hmac_notification(item, key))
    except (LookupError, TypeError, ValueError, AttributeError, binascii.Error):
        return False  # a notification without what is signed


def _received(answer: dict[str, Any], ref: str | None) -> Outcome:
    """A modification was received; a notification says later what became of it."""
    if answer.get("status") != "received":
        return Unknown("the answer does not say that it was received")
    return Pending(View(ViewStatus.PROCESSING, provider_ref=ref), answer["pspReference"])


def _unclear_answer(error: AdyenAPIResponseError) -> NotSent | Unknown | None:
    if str(error.error_code) == KEY_IN_USE:
        return Unknown("the key is in use, or was used for another request")
    retry_after = error.headers.get("retry-after") if isinstance(error.headers, httpx.Headers) else None
    return unclear_status(int(error.status_code), retry_after, _said(error))


def _said(error: AdyenAPIResponseError) -> str:
    told = error.message
    return str(told.get("message") if isinstance(told, dict) else told)[:500]


def _order(asked: dict[str, Any]) -> dict[str, str]:
    """What it is for, where reports can tell it: they know nothing of metadata."""
    return {"merchantOrderReference": asked["session_id"]} if asked.get("session_id") else {}


def _amount(asked: dict[str, Any]) -> dict[str, Any]:
    return {"value": asked["amount_minor"], "currency": asked["currency"]}
