"""Pure: why a payment is declined: the providers' codes as our standard codes, each with the advice that goes with it.

One table of standard codes and recommended actions is an idea of Hyperswitch's (juspay/hyperswitch, "GSM"); the raw
codes are the providers': Stripe's decline and error codes (docs.stripe.com/declines/codes, docs.stripe.com/error-codes),
Mollie's failure and status reasons (docs.mollie.com: card failure reasons), Adyen's refusal reasons, by number in answers and
by their words in webhooks (docs.adyen.com/development-resources/refusal-reasons).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Advice(StrEnum):
    """What to do after a decline."""

    DO_NOT_RETRY = "do_not_retry"
    RETRY_LATER = "retry_later"
    OTHER_METHOD = "other_method"
    ASK_DRIVER = "ask_driver"
    """The driver has to be present: send a link."""


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard code and its advice."""

    code: str
    advice: Advice


CAPTURE_LOST: Final = "capture_lost"
"""The code of a capture that the provider had taken, and days later has not: it is final, whatever comes late."""
DECLINED: Final = Standard("declined", Advice.OTHER_METHOD)

ENDS_METHOD: Final = frozenset({"expired_card", "incorrect_number", "invalid_account", "lost_or_stolen"})
"""With such a code a stored card is charged no more, until its bank has replaced it or a person wants it tried."""

_STRIPE: Final = {
    "approve_with_id": Standard("issuer_unavailable", Advice.RETRY_LATER),
    "authentication_not_handled": Standard("authentication_required", Advice.ASK_DRIVER),
    "authentication_required": Standard("authentication_required", Advice.ASK_DRIVER),
    "call_issuer": Standard("do_not_honor", Advice.OTHER_METHOD),
    "card_not_supported": Standard("card_not_supported", Advice.OTHER_METHOD),
    "card_velocity_exceeded": Standard("velocity_limit_exceeded", Advice.RETRY_LATER),
    "currency_not_supported": Standard("card_not_supported", Advice.OTHER_METHOD),
    "do_not_honor": Standard("do_not_honor", Advice.OTHER_METHOD),
    "do_not_try_again": Standard("do_not_honor", Advice.DO_NOT_RETRY),
    "expired_card": Standard("expired_card", Advice.OTHER_METHOD),
    "fraudulent": Standard("suspected_fraud", Advice.DO_NOT_RETRY),
    "generic_decline": Standard("declined", Advice.OTHER_METHOD),
    "incorrect_cvc": Standard("incorrect_security_code", Advice.OTHER_METHOD),
    "incorrect_number": Standard("incorrect_number", Advice.OTHER_METHOD),
    "insufficient_funds": Standard("insufficient_funds", Advice.RETRY_LATER),
    "invalid_account": Standard("invalid_account", Advice.DO_NOT_RETRY),
    "issuer_not_available": Standard("issuer_unavailable", Advice.RETRY_LATER),
    "lost_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "merchant_blacklist": Standard("suspected_fraud", Advice.DO_NOT_RETRY),
    "no_action_taken": Standard("do_not_honor", Advice.OTHER_METHOD),
    "not_permitted": Standard("not_permitted", Advice.OTHER_METHOD),
    "offline_pin_required": Standard("authentication_required", Advice.ASK_DRIVER),
    "payment_intent_authentication_failure": Standard("authentication_failed", Advice.ASK_DRIVER),
    "pickup_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "processing_error": Standard("processing_error", Advice.RETRY_LATER),
    "reenter_transaction": Standard("processing_error", Advice.RETRY_LATER),
    "restricted_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "revocation_of_all_authorizations": Standard("not_permitted", Advice.DO_NOT_RETRY),
    "revocation_of_authorization": Standard("not_permitted", Advice.DO_NOT_RETRY),
    "security_violation": Standard("suspected_fraud", Advice.DO_NOT_RETRY),
    "service_not_allowed": Standard("not_permitted", Advice.OTHER_METHOD),
    "stolen_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "transaction_not_allowed": Standard("not_permitted", Advice.OTHER_METHOD),
    "try_again_later": Standard("issuer_unavailable", Advice.RETRY_LATER),
    "withdrawal_count_limit_exceeded": Standard("velocity_limit_exceeded", Advice.RETRY_LATER),
}

_MOLLIE: Final = {
    "allowable_number_of_pin_tries_exceeded": Standard("velocity_limit_exceeded", Advice.OTHER_METHOD),
    "authentication_abandoned": Standard("authentication_failed", Advice.ASK_DRIVER),
    "authentication_failed": Standard("authentication_failed", Advice.ASK_DRIVER),
    "authentication_required": Standard("authentication_required", Advice.ASK_DRIVER),
    "authentication_unavailable_acs": Standard("issuer_unavailable", Advice.RETRY_LATER),
    "capture_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "card_declined": Standard("declined", Advice.OTHER_METHOD),
    "card_expired": Standard("expired_card", Advice.OTHER_METHOD),
    "do_not_honor": Standard("do_not_honor", Advice.OTHER_METHOD),
    "error": Standard("processing_error", Advice.RETRY_LATER),
    "exceeds_withdrawal_amount_limit": Standard("velocity_limit_exceeded", Advice.RETRY_LATER),
    "exceeds_withdrawal_count_limit": Standard("velocity_limit_exceeded", Advice.RETRY_LATER),
    "expired_card": Standard("expired_card", Advice.OTHER_METHOD),
    "inactive_card": Standard("invalid_account", Advice.DO_NOT_RETRY),
    "insufficient_funds": Standard("insufficient_funds", Advice.RETRY_LATER),
    "invalid_card_holder_name": Standard("incorrect_number", Advice.OTHER_METHOD),
    "invalid_card_number": Standard("incorrect_number", Advice.OTHER_METHOD),
    "invalid_card_type": Standard("card_not_supported", Advice.OTHER_METHOD),
    "invalid_cvv": Standard("incorrect_security_code", Advice.OTHER_METHOD),
    "issuer_unavailable": Standard("issuer_unavailable", Advice.RETRY_LATER),
    "lost_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "possible_fraud": Standard("suspected_fraud", Advice.DO_NOT_RETRY),
    "refer_to_card_issuer": Standard("do_not_honor", Advice.OTHER_METHOD),
    "refused_by_issuer": Standard("do_not_honor", Advice.OTHER_METHOD),
    "restricted_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "security_violation": Standard("suspected_fraud", Advice.DO_NOT_RETRY),
    "stolen_card": Standard("lost_or_stolen", Advice.DO_NOT_RETRY),
    "transaction_not_permitted_to_cardholder": Standard("not_permitted", Advice.OTHER_METHOD),
    "unable_to_route_transaction": Standard("issuer_unavailable", Advice.RETRY_LATER),
    "unknown_reason": Standard("declined", Advice.OTHER_METHOD),
}

_ADYEN_REASONS: Final = (
    ("2", "refused", "declined", Advice.OTHER_METHOD),
    ("3", "referral", "do_not_honor", Advice.OTHER_METHOD),
    ("4", "acquirer error", "processing_error", Advice.RETRY_LATER),
    ("5", "blocked card", "lost_or_stolen", Advice.DO_NOT_RETRY),
    ("6", "expired card", "expired_card", Advice.OTHER_METHOD),
    ("8", "invalid card number", "incorrect_number", Advice.OTHER_METHOD),
    ("9", "issuer unavailable", "issuer_unavailable", Advice.RETRY_LATER),
    ("10", "not supported", "card_not_supported", Advice.OTHER_METHOD),
    ("11", "3d not authenticated", "authentication_failed", Advice.ASK_DRIVER),
    ("12", "not enough balance", "insufficient_funds", Advice.RETRY_LATER),
    ("14", "acquirer fraud", "suspected_fraud", Advice.DO_NOT_RETRY),
    ("15", "cancelled", "declined", Advice.OTHER_METHOD),
    ("16", "shopper cancelled", "authentication_failed", Advice.ASK_DRIVER),
    ("18", "pin tries exceeded", "velocity_limit_exceeded", Advice.OTHER_METHOD),
    ("20", "fraud", "suspected_fraud", Advice.DO_NOT_RETRY),
    ("21", "not submitted", "processing_error", Advice.RETRY_LATER),
    ("22", "fraud-cancelled", "suspected_fraud", Advice.DO_NOT_RETRY),
    ("23", "transaction not permitted", "not_permitted", Advice.OTHER_METHOD),
    ("24", "cvc declined", "incorrect_security_code", Advice.OTHER_METHOD),
    ("25", "restricted card", "lost_or_stolen", Advice.DO_NOT_RETRY),
    ("26", "revocation of auth", "not_permitted", Advice.DO_NOT_RETRY),
    ("27", "declined non generic", "declined", Advice.OTHER_METHOD),
    ("28", "withdrawal amount exceeded", "velocity_limit_exceeded", Advice.RETRY_LATER),
    ("29", "withdrawal count exceeded", "velocity_limit_exceeded", Advice.RETRY_LATER),
    ("31", "issuer suspected fraud", "suspected_fraud", Advice.DO_NOT_RETRY),
    ("32", "avs declined", "declined", Advice.OTHER_METHOD),
    ("38", "authentication required", "authentication_required", Advice.ASK_DRIVER),
    ("42", "3ds authentication error", "authentication_failed", Advice.ASK_DRIVER),
    ("46", "transaction blocked by adyen to prevent excessive retry fees", "do_not_honor", Advice.DO_NOT_RETRY),
)
_ADYEN: Final = {raw: Standard(code, advice) for *raws, code, advice in _ADYEN_REASONS for raw in raws}

_OWN: Final = {
    one: Standard(one, Advice.OTHER_METHOD) for one in ("credit_limit", "insufficient_funds", "not_permitted")
}

STANDARD: Final[dict[str, dict[str, Standard]]] = {
    "stripe": _STRIPE,
    "mollie": _MOLLIE,
    "adyen": _ADYEN,
    "prepaid": _OWN,
    "invoice": _OWN,
}


def advice_on(provider: str, code: str | None) -> Standard:
    """A standard code with the advice that this provider's table gives it."""
    found = (one for one in STANDARD.get(provider, {}).values() if one.code == code)
    return next(found, DECLINED)


def standard(provider: str, *raw: str | None) -> Standard:
    """The standard code of the first raw code that the table knows: the issuer's own first, then the provider's."""
    table = STANDARD.get(provider, {})
    for one in raw:
        if one is not None and one in table:
            return table[one]
    return DECLINED
