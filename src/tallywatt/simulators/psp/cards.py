"""Pure: the test cards that the provider documents (docs.stripe.com/testing), and amounts that make any card fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a card is not charged: the error's code, the issuer's decline code, the sentence."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """A test card and how it behaves."""

    token: str
    brand: str
    last4: str
    label: str
    verdict: Verdict | None = None
    attaches: bool = True
    several_captures: bool = True
    """Whether its hold can be captured in parts, if that is asked for."""
    asks_driver: str = "never"
    """When the issuer wants the driver: never, always, or unless_set_up."""


def _declined(decline_code: str, message: str = "Your card was declined.") -> Verdict:
    return Verdict("card_declined", decline_code, message)


GENERIC: Final = _declined("generic_decline")
INSUFFICIENT: Final = _declined("insufficient_funds", "Your card has insufficient funds.")
LOST: Final = _declined("lost_card")
STOLEN: Final = _declined("stolen_card")
VELOCITY: Final = _declined(
    "card_velocity_exceeded", "Your card was declined for making repeated attempts too frequently."
)
DO_NOT_HONOR: Final = _declined("do_not_honor")
FRAUD: Final = _declined("fraudulent")
EXPIRED: Final = Verdict("expired_card", None, "Your card has expired.")
WRONG_CVC: Final = Verdict("incorrect_cvc", None, "Your card's security code is incorrect.")
PROCESSING: Final = Verdict(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit."
)
AUTHENTICATION: Final = Verdict(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)

CARDS: Final = {
    card.token: card
    for card in (
        Card("pm_card_visa", "visa", "4242", "Visa"),
        Card("pm_card_visa_debit", "visa", "5556", "Visa debit"),
        Card("pm_card_mastercard", "mastercard", "4444", "Mastercard"),
        Card("pm_card_amex", "amex", "8431", "American Express"),
        Card("pm_card_gb", "visa", "0000", "Visa, United Kingdom"),
        Card("pm_card_de", "visa", "0016", "Visa, Germany"),
        Card(
            "pm_card_credit_disableEnterpriseCardFeatures",
            "visa",
            "0076",
            "Visa, captured once",
            several_captures=False,
        ),
        Card("pm_card_visa_chargeDeclined", "visa", "0002", "Declined", GENERIC, attaches=False),
        Card(
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "visa",
            "9995",
            "Insufficient funds",
            INSUFFICIENT,
            attaches=False,
        ),
        Card("pm_card_visa_chargeDeclinedLostCard", "visa", "9987", "Lost card", LOST, attaches=False),
        Card("pm_card_visa_chargeDeclinedStolenCard", "visa", "9979", "Stolen card", STOLEN, attaches=False),
        Card(
            "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
            "visa",
            "6975",
            "Too many attempts",
            VELOCITY,
            attaches=False,
        ),
        Card("pm_card_chargeDeclinedExpiredCard", "visa", "0069", "Expired card", EXPIRED, attaches=False),
        Card("pm_card_chargeDeclinedIncorrectCvc", "visa", "0127", "Wrong security code", WRONG_CVC, attaches=False),
        Card("pm_card_chargeDeclinedProcessingError", "visa", "0119", "Processing error", PROCESSING, attaches=False),
        Card("pm_card_chargeCustomerFail", "visa", "0341", "Declined later, once stored", GENERIC),
        Card("pm_card_radarBlock", "visa", "0019", "Blocked as fraud", FRAUD, attaches=False),
        Card("pm_card_authenticationRequired", "visa", "3184", "Asks the driver every time", asks_driver="always"),
        Card("pm_card_threeDSecure2Required", "visa", "3220", "3D Secure required", asks_driver="always"),
        Card(
            "pm_card_authenticationRequiredSetupForOffSession",
            "visa",
            "3155",
            "Asks the driver unless set up",
            asks_driver="unless_set_up",
        ),
        Card(
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "visa",
            "3178",
            "Asks the driver, then lacks funds",
            INSUFFICIENT,
            asks_driver="always",
        ),
    )
}

SHOWN_ON_PAGE: Final = (
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_threeDSecure2Required",
    "pm_card_visa_chargeDeclined",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedExpiredCard",
)

MAGIC_AMOUNTS: Final = {
    900_001: GENERIC,
    900_002: INSUFFICIENT,
    900_003: LOST,
    900_004: STOLEN,
    900_005: EXPIRED,
    900_006: PROCESSING,
    900_007: AUTHENTICATION,
    900_008: DO_NOT_HONOR,
    900_009: FRAUD,
}
"""Charging exactly this many minor units fails with any card: 9,000.01 and its neighbours, which no charging session costs."""
