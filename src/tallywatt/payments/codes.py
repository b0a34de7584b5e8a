"""Pure: why a payment is declined: the providers' codes as our standard codes, each with the advice that goes with it.

One table of standard codes and recommended actions is an idea of Hyperswitch's (juspay/hyperswitch, "GSM"); the raw
codes are Stripe's (docs.stripe.com/declines/codes, docs.stripe.com/error-codes).
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


DECLINED: Final = Standard("declined", Advice.OTHER_METHOD)

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

STANDARD: Final[dict[str, dict[str, Standard]]] = {"stripe": _STRIPE}


def standard(provider: str, *raw: str | None) -> Standard:
    """The standard code of the first raw code that the table knows: the issuer's own first, then the provider's."""
    table = STANDARD.get(provider, {})
    for one in raw:
        if one is not None and one in table:
            return table[one]
    return DECLINED
