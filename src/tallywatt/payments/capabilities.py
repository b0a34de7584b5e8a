"""Pure: what each provider can do and how long it holds money, as data: nothing is assumed of one.

Figures are the providers' own where they publish them; where a scheme lets a hold live longer than the provider says,
the shorter one stands here. A date that a provider tells with a hold always comes before this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DAY: Final = 24 * 3600
FOR_EVER: Final = 100 * 365 * DAY


class Initiator(StrEnum):
    """Who asks the issuer: the cardholder on a page or at a reader (both CIT), or we without the cardholder (MIT)."""

    CARDHOLDER = "cardholder"
    AT_READER = "at_reader"
    MERCHANT = "merchant"


class Captures(StrEnum):
    """Into how many parts a hold can be taken."""

    ONCE = "once"
    """The first capture lets go of the rest."""
    BY_HOLD = "by_hold"
    """Each hold says so itself: it depends on the card, and on what was agreed with the provider."""
    BY_ACCOUNT = "by_account"
    """The provider has switched it on for an account, or has not. Where it has, no capture lets go of the rest."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do."""

    idempotency_window_seconds: int
    """How long the same key is sure to be the same request; 0: never."""
    enquiry_by_reference: bool
    """Whether a payment can be looked for by what it carries of ours."""
    enquiry: bool = True
    """Whether it can be asked how a payment stands. Where not, only its webhooks tell."""
    prepares: bool = True
    """Whether a harmless object can be made first, whose id is known before money moves."""
    answers_later: bool = False
    """Whether every modification is only received at first, and decided in a webhook."""
    partial_capture: bool = True
    """Less than is held can be taken; the rest is let go with it."""
    multiple_captures: Captures = Captures.ONCE
    adjusts: bool = False
    """Whether the sum of a hold can be changed while it lives."""
    partial_refund: bool = True
    off_session: bool = True
    hosted_page: bool = True
    page_takes_another_card: bool = True
    """Whether a driver whose card was declined may try another one on the same page."""
    stores_by_page: bool = False
    """Whether a method is stored on a page of the provider's; otherwise it is stored by a token."""
    lists_payments: bool = True
    """Whether it lists what it did since a moment, for a house that lost its last days."""
    needs_merchant: bool = False
    """Whether its API wants the name of the merchant account with every request."""
    signs_webhooks: bool = True
    """Whether a webhook proves by a secret who sent it. Where not, it is only a reason to look."""
    own_books: bool = False
    """Whether its money is a customer's account in our own books: nobody outside is asked, and there is no secret."""
    holds_alone: bool = False
    """Whether something can be held from a stored method without the driver, before a session begins."""
    card_present: bool = False
    """Whether readers of its own can be asked for a card, from here."""
    presents_by_key: bool = False
    """Whether a reader that is asked twice under the same key asks once. Where not, it is never asked twice."""
    answers_disputes: bool = False
    """Whether it takes answers to disputes from here, and not on its own pages alone."""
    methods: tuple[str, ...] = ("card",)
    """How drivers can pay on its page, as far as a hold can be placed that way."""


WALLETS: Final = ("card", "apple_pay", "google_pay")

CAPABILITIES: Final[dict[str, Capabilities]] = {
    # docs.stripe.com/api/idempotent_requests: keys live for at least 24 hours. Increments are not offered online in
    # countries with strong customer authentication (docs.stripe.com: incremental authorization): they are asked for with
    # the page, tried when they are needed, and a refusal ends the session in time. Nothing counts on them. Several captures
    # are asked for with the page, too (docs.stripe.com/payments/multicapture): its charge tells whether there can be.
    "stripe": Capabilities(
        23 * 3600,
        enquiry_by_reference=True,
        multiple_captures=Captures.BY_HOLD,
        adjusts=True,
        card_present=True,
        presents_by_key=True,
        answers_disputes=True,
        methods=WALLETS,
    ),
    # docs.mollie.com/reference/api-idempotency: an answer is kept for an hour.
    # One capture a card payment; the rest is released with it.
    "mollie": Capabilities(
        50 * 60,
        enquiry_by_reference=True,
        prepares=False,
        page_takes_another_card=False,
        stores_by_page=True,
        signs_webhooks=False,
        methods=WALLETS,
    ),
    # docs.adyen.com/development-resources/api-idempotency: keys live for at least 7 days. Everything is decided later.
    # What goes to a terminal has a number of its own instead of a key, and is asked about by it.
    # docs.adyen.com/online-payments/capture: multiple partial captures are switched on by its support for an account.
    "adyen": Capabilities(
        6 * DAY,
        multiple_captures=Captures.BY_ACCOUNT,
        enquiry_by_reference=False,
        enquiry=False,
        prepares=False,
        answers_later=True,
        adjusts=True,
        stores_by_page=True,
        lists_payments=False,
        needs_merchant=True,
        card_present=True,
        answers_disputes=True,
        methods=WALLETS,
    ),
    # Both are ours: the answer to an operation is found again by the operation for ever. Such a hold never ends by itself,
    # so nothing has to be taken from it before the price is known: it is taken once.
    "prepaid": Capabilities(
        FOR_EVER,
        enquiry_by_reference=True,
        prepares=False,
        adjusts=True,
        hosted_page=False,
        page_takes_another_card=False,
        lists_payments=False,
        signs_webhooks=False,
        own_books=True,
        holds_alone=True,
        methods=("prepaid",),
    ),
    "invoice": Capabilities(
        FOR_EVER,
        enquiry_by_reference=True,
        prepares=False,
        adjusts=True,
        hosted_page=False,
        page_takes_another_card=False,
        lists_payments=False,
        signs_webhooks=False,
        own_books=True,
        holds_alone=True,
        methods=("invoice",),
    ),
}

UNKNOWN_PROVIDER: Final = Capabilities(
    0, enquiry_by_reference=False, enquiry=False, off_session=False, hosted_page=False
)


def capabilities_of(provider: str) -> Capabilities:
    """What a provider can do; one that nobody speaks to can do nothing."""
    return CAPABILITIES.get(provider, UNKNOWN_PROVIDER)


HOLDS: Final[dict[tuple[str, str, Initiator], int]] = {
    # docs.stripe.com, "Place a hold on a payment method": 7 days, Visa without the cardholder 4 days and 18 hours.
    ("stripe", "", Initiator.CARDHOLDER): 7 * DAY,
    ("stripe", "", Initiator.MERCHANT): 7 * DAY,
    ("stripe", "visa", Initiator.MERCHANT): 4 * DAY + 18 * 3600,
    # docs.stripe.com/terminal: what was held at a reader is captured within two days, unless an extension was granted.
    ("stripe", "", Initiator.AT_READER): 2 * DAY,
    # Mollie tells the end of each hold (captureBefore); this is for the message that does not.
    ("mollie", "", Initiator.CARDHOLDER): 7 * DAY,
    ("mollie", "", Initiator.MERCHANT): 4 * DAY + 18 * 3600,
    # Adyen tells no end. Visa's own rule for holds of cardholders is 10 days; the others are kept to a week here.
    ("adyen", "", Initiator.CARDHOLDER): 7 * DAY,
    ("adyen", "", Initiator.MERCHANT): 4 * DAY + 18 * 3600,
    ("adyen", "visa", Initiator.CARDHOLDER): 10 * DAY,
    ("adyen", "", Initiator.AT_READER): 7 * DAY,
    # What is held in our own books is held until we let it go.
    **dict.fromkeys(
        ((name, "", who) for name in ("prepaid", "invoice") for who in Initiator),
        FOR_EVER,
    ),
}
"""Seconds by provider, scheme (empty: any) and initiator."""

SHORTEST_HOLD: Final = 4 * DAY + 18 * 3600


def hold_seconds(provider: str, scheme: str | None = None, initiator: Initiator = Initiator.CARDHOLDER) -> int:
    """How long a hold lives at this provider, for this scheme if it differs; the shortest known one for an unknown provider."""
    named = HOLDS.get((provider, (scheme or "").lower(), initiator))
    return named if named is not None else HOLDS.get((provider, "", initiator), SHORTEST_HOLD)
