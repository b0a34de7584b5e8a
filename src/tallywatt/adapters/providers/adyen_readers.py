"""Adyen's terminals through its cloud (docs.adyen.com: Terminal API, Cloud device API): nexo messages by the official SDK.

A terminal is asked for a card and the connection is closed; how it went is asked for (TransactionStatus) and told in the same
signed notification as for any payment. A message has no key but a number of its own, by which it is asked about; it is
never sent twice. Of what a terminal answers only what is named here is read: track data and card numbers are not looked at.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote

import httpx
from Adyen import AdyenError
from Adyen.services.management.terminals_terminal_level_api import TerminalsTerminalLevelApi

from tallywatt.adapters.providers import adyen_views as views
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.money import currency
from tallywatt.payments.capabilities import Initiator, hold_seconds
from tallywatt.payments.codes import standard
from tallywatt.payments.provider import Enquiry, Failed, Unknown, View, ViewStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from Adyen.client import AdyenClient

Tree = dict[str, Any]

SALE: Final = "Tallywatt"
NUMBER_LENGTH: Final = 10
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEST: Final = "https://device-api-test.adyen.com/v1"
LIVE: Final = "https://device-api-live.adyen.com/v1"
NOBODY_PAID: Final = frozenset({"Aborted", "Cancel"})
NOT_ASKED: Final = {"Busy": "reader_busy", "UnreachableHost": "reader_offline", "DeviceOut": "reader_offline"}
MOST_LISTED: Final = 100
UNSURE: Final = "did not receive a response"
"""A terminal that was reached and said nothing may ask for the card all the same."""


def number_of(operation_id: str) -> str:
    """The number of the message of an operation: the same for ever, so that it can be asked about after a crash."""
    value = int.from_bytes(hashlib.blake2b(operation_id.encode(), digest_size=16).digest(), "big")
    return "".join(_LETTERS[value // 36**place % 36] for place in range(NUMBER_LENGTH))


class Terminals:
    """The terminals of one merchant account."""

    def __init__(
        self,
        client: AdyenClient,
        merchant: str,
        own_place: str | None,
        *,
        live: bool,
        hasty: Callable[[], AdyenClient] | None = None,
    ) -> None:
        self._client = client
        self._hasty = hasty or (lambda: client)
        self._merchant = merchant
        self._base = f"{own_place}/device/v1" if own_place is not None else LIVE if live else TEST
        self._listed = TerminalsTerminalLevelApi(client=client)
        if own_place is not None:
            self._listed.baseUrl = f"{own_place}/management/v3"

    def knows(self, reader_ref: str) -> bool:
        """Whether a terminal of that name is assigned to the merchant account, on the line or not."""
        # The SDK writes the values into the address as they are.
        asked = {"searchQuery": quote(reader_ref, safe=""), "pageSize": MOST_LISTED}
        told = self._listed.list_terminals(query_parameters=asked).message.get("data") or []
        mine = (one for one in told if one["id"] == reader_ref)
        return any((one.get("assignment") or {}).get("merchantId") in (None, self._merchant) for one in mine)

    def present(self, asked: Tree) -> View | Failed | Unknown:
        """The terminal asks for a card, and holds the sum on it. Never send this twice."""
        until = int(asked["present_until"])
        at = datetime.fromtimestamp(until / 1000, UTC).isoformat(timespec="milliseconds")
        body = {
            "SaleData": {
                "SaleTransactionID": {"TransactionID": asked["reference"], "TimeStamp": at},
                # A hold of this kind can grow, and is captured later.
                "SaleToAcquirerData": "authorisationType=PreAuth",
            },
            "PaymentTransaction": {
                "AmountsReq": {"Currency": asked["currency"], "RequestedAmount": _major(asked)},
            },
        }
        header = _header("Payment", asked["reader_ref"], number_of(asked["operation_id"]))
        answer = self._post(asked["reader_ref"], "async", {"MessageHeader": header, "PaymentRequest": body})
        rejected = _rejected(answer)
        if rejected is None:
            return View(ViewStatus.REQUIRES_ACTION, asked["currency"])
        if UNSURE in rejected.lower():
            return Unknown("the terminal did not answer")
        return Failed("reader_offline", "the terminal cannot be reached")

    def show(self, asked: Tree) -> None:
        """What is about to be paid for, on the terminal's display, before it asks: which post, and its price.

        A kindness: a terminal that shows no text, or does not answer, asks for the card all the same.
        """
        text = [{"Text": asked["title"]}]
        content = {"OutputFormat": "Text", "OutputText": text}
        output = {"Device": "CustomerDisplay", "InfoQualify": "Display", "OutputContent": content}
        header = {**_header("Display", asked["reader_ref"], _new_number()), "MessageClass": "Device"}
        message = {"MessageHeader": header, "DisplayRequest": {"DisplayOutput": [output]}}
        with suppress(httpx.HTTPError, AdyenError):
            self._post(asked["reader_ref"], "sync", message, self._hasty())

    def give_up(self, asked: Tree) -> View | Failed | Unknown:
        """The terminal asks no longer. A card that it has taken already is found, and is to be let go by its own number."""
        reader, operation_id = asked["reader_ref"], asked["presented_by"]
        body = {"AbortReason": "MerchantAbort", "MessageReference": _reference(operation_id)}
        header = _header("Abort", reader, _new_number())
        self._post(reader, "sync", {"MessageHeader": header, "AbortRequest": body})
        seen = self.status(reader, operation_id, asked["currency"])
        if seen is None:
            return View(ViewStatus.ABANDONED)  # should a hold be told of later, it is let go as well
        if isinstance(seen, View) and seen.status is ViewStatus.AUTHORISED:
            return Failed("paid_meanwhile", "a card was held to the terminal", seen)
        if isinstance(seen, View) and seen.status is ViewStatus.REQUIRES_ACTION:
            return Unknown("the terminal asks still")
        return View(ViewStatus.ABANDONED) if isinstance(seen, View) else seen

    def enquire(self, enquiry: Enquiry) -> View | Unknown | None:
        """How it went at a terminal; None: it knows of nothing."""
        assert enquiry.reader_ref is not None, "only what was asked of a terminal is asked about there"
        return self.status(enquiry.reader_ref, enquiry.presented_by or "", None)

    def status(self, reader: str, operation_id: str, code: str | None) -> View | Unknown | None:
        """What a terminal says about a message that it got."""
        body = {"MessageReference": _reference(operation_id), "ReceiptReprintFlag": False}
        header = _header("TransactionStatus", reader, _new_number())
        answer = self._post(reader, "sync", {"MessageHeader": header, "TransactionStatusRequest": body})
        told = (answer.get("SaleToPOIResponse") or {}).get("TransactionStatusResponse")
        if not isinstance(told, dict):
            return Unknown("the terminal does not say how it went")
        if told["Response"]["Result"] != "Success":
            condition = told["Response"].get("ErrorCondition")
            if condition == "NotFound":
                return None
            if condition == "InProgress":
                return View(ViewStatus.REQUIRES_ACTION, code)
            return Unknown(f"the terminal does not say how it went: {condition}")
        return of_payment(told["RepeatedMessageResponse"]["RepeatedResponseMessageBody"]["PaymentResponse"])

    def _post(self, reader: str, way: str, message: Tree, client: AdyenClient | None = None) -> Tree:
        place = f"merchants/{quote(self._merchant, safe='')}/devices/{quote(reader, safe='')}/{way}"
        request = {"SaleToPOIRequest": message}
        answer = (client or self._client).call_adyen_api(request, "terminal", "POST", f"{self._base}/{place}").message
        return answer if isinstance(answer, dict) else {}


def _new_number() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(NUMBER_LENGTH))


def _header(category: str, reader: str, number: str) -> Tree:
    return {
        "ProtocolVersion": "3.0",
        "MessageClass": "Service",
        "MessageCategory": category,
        "MessageType": "Request",
        "SaleID": SALE,
        "ServiceID": number,
        "POIID": reader,
    }


def _reference(operation_id: str) -> Tree:
    return {"MessageCategory": "Payment", "SaleID": SALE, "ServiceID": number_of(operation_id)}


def _major(asked: Tree) -> int | float:
    """The sum as terminals write it. Binary fractions print two or three decimals of any sum of a hold exactly."""
    exact = Decimal(asked["amount_minor"]).scaleb(-currency(asked["currency"]).exponent)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _rejected(answer: Tree) -> str | None:
    """Why the cloud did not hand a message on; None: it did."""
    event = (answer.get("SaleToPOIRequest") or {}).get("EventNotification") or {}
    if event.get("EventToNotify") != "Reject":
        return None
    return " ".join(parse_qs(str(event.get("EventDetails"))).get("message", ["rejected"]))


def of_payment(told: Tree) -> View:
    """The answer to a request for a card, as a terminal repeats it."""
    response, made = told["Response"], (told.get("POIData") or {}).get("POITransactionID") or {}
    ref = str(made.get("TransactionID") or "").rpartition(".")[2] or None
    more = _more(response.get("AdditionalResponse"))
    if response["Result"] == "Success":
        return _held(told["PaymentResult"], ref, made.get("TimeStamp"), more)
    condition = str(response.get("ErrorCondition"))
    if condition in NOBODY_PAID:
        return View(ViewStatus.ABANDONED, code="cancelled_at_reader")
    if condition in NOT_ASKED:
        return View(ViewStatus.ABANDONED, code=NOT_ASKED[condition])
    why = more.get("refusalReason", "").rpartition(":")[2].strip().lower()
    return View(ViewStatus.DECLINED, provider_ref=ref or "declined", code=standard(views.PROVIDER, why).code)


def _held(result: Tree, ref: str | None, at: Any, more: dict[str, str]) -> View:
    amounts = result["AmountsResp"]
    code = str(amounts["Currency"])
    try:
        exact = Decimal(str(amounts["AuthorizedAmount"])).scaleb(currency(code).exponent)
    except InvalidOperation as error:
        raise ValueError(code) from error
    card = ((result.get("PaymentInstrumentData") or {}).get("CardData")) or {}
    brand = str(card.get("PaymentBrand") or more.get("paymentMethod") or "").lower() or None
    return View(
        ViewStatus.AUTHORISED,
        code,
        provider_ref=ref,
        authorised_minor=int(exact),
        hold_expires_at=_ends(at, brand),
        card_brand={"mc": "mastercard"}.get(brand or "", brand),
        card_last4=_last4(more.get("cardSummary") or card.get("MaskedPan")),
    )


def _ends(at: Any, brand: str | None) -> Instant | None:
    try:
        read = datetime.fromisoformat(str(at))
    except ValueError:
        return None
    began = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return Instant(int((began + hold_seconds(views.PROVIDER, brand, Initiator.AT_READER)) * 1000))


def _last4(text: Any) -> str | None:
    """The last four digits, and nothing else of whatever a terminal calls the number of a card."""
    digits = str(text or "")[-4:]
    return digits if len(digits) == 4 and digits.isascii() and digits.isdigit() else None


def _more(text: Any) -> dict[str, str]:
    """What a terminal adds: pairs as in an address, or JSON in base64."""
    try:
        read = json.loads(base64.b64decode(str(text or ""), validate=True))["additionalData"]
        return {str(name): str(value) for name, value in read.items()}
    except (binascii.Error, ValueError, LookupError, TypeError, AttributeError):
        return {name: values[-1] for name, values in parse_qs(str(text or "")).items()}
