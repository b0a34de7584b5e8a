"""Stripe's readers, driven from the server (docs.stripe.com/terminal): a reader asks for the card of a prepared intent.

An intent does not say whether a reader asks for it: it stands the same before, and after a driver who walked away. So the
reader is looked at as well. What a reader does for somebody else's intent is never touched.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import stripe

from tallywatt.adapters.providers import marks
from tallywatt.adapters.providers import stripe_views as views
from tallywatt.payments.codes import standard
from tallywatt.payments.provider import Enquiry, View, ViewStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from stripe._v1_services import V1Services
    from stripe.params import PaymentIntentCreateParams

Tree = dict[str, Any]

EVENTS: Final = ("terminal.reader.action_failed", "terminal.reader.action_succeeded")
BUSY: Final = "terminal_reader_busy"
SILENT: Final = "terminal_reader_timeout"
"""It was asked and has not answered: it may ask for the card all the same."""
WORDS: Final = {BUSY: "reader_busy", "terminal_reader_offline": "reader_offline"}
"""Why a reader was not asked, in our words."""
ENDED: Final = frozenset({"canceled", "requires_capture", "succeeded"})
"""States of an intent for which no card is wanted any more."""
NOBODY_PAID: Final = frozenset(
    {"customer_canceled", "canceled", "reader_timeout", "terminal_reader_timeout", "timeout"}
)
"""Why a reader stops asking without any card having been declined."""
_CHARGE: Final = ["latest_charge"]


def prepare(client: V1Services, asked: Tree, options: Any) -> Any:
    """An intent for a card that is held to a reader. No reader is asked yet, so nothing can be held."""
    params: PaymentIntentCreateParams = {
        "amount": asked["amount_minor"],
        "currency": asked["currency"].lower(),
        "allowed_payment_method_types": ["card_present"],
        "payment_method_options": {"card_present": {"request_incremental_authorization_support": True}},
        "capture_method": "manual",
        "description": asked["title"],
        "metadata": marks.ours(asked),
    }
    return client.payment_intents.create(params, options)


def present(client: V1Services, asked: Tree, options: Any, tree: Callable[[Any], Tree]) -> View:
    """The reader asks for the card. Its answer says that it asks, or how that went, if it was asked before."""
    try:
        reader = _process(client, asked, options)
    except stripe.InvalidRequestError as error:
        if error.code != BUSY or not _frees(client, asked):
            raise
        # The refusal is certain: what is asked now is asked for the first time, so it may have a key of its own.
        again = {**options, "idempotency_key": f"{options['idempotency_key']}/again"}
        reader = _process(client, asked, again)
    seen = of_reader(tree(reader), asked["provider_ref"])
    return seen or View(ViewStatus.REQUIRES_ACTION, provider_ref=asked["provider_ref"])


def show(client: V1Services, asked: Tree, options: Any) -> None:
    """What is about to be paid for, on the reader's display, before it asks: which post, and its price.

    A kindness: a reader without a display, or one that does not answer, asks for the card all the same.
    """
    line = {"description": asked["title"], "amount": asked["amount_minor"], "quantity": 1}
    cart = {"currency": asked["currency"].lower(), "line_items": [line], "total": asked["amount_minor"]}
    shown: Any = {"type": "cart", "cart": cart}
    with suppress(stripe.StripeError):
        key = f"{options['idempotency_key']}/shown"
        client.terminal.readers.set_reader_display(asked["reader_ref"], shown, {"idempotency_key": key})


def _process(client: V1Services, asked: Tree, options: Any) -> Any:
    return client.terminal.readers.process_payment_intent(
        asked["reader_ref"],
        {
            "payment_intent": asked["provider_ref"],
            "process_config": {"enable_customer_cancellation": True, "skip_tipping": True},
        },
        options,
    )


def _frees(client: V1Services, asked: Tree) -> bool:
    """Whether a reader was occupied with a payment of ours that has ended, and asks for its card no longer.

    It had no connection when it was to stop: nobody else would ever tell it, and every driver after that heard that it is busy.
    """
    action = client.terminal.readers.retrieve(asked["reader_ref"]).to_dict().get("action") or {}
    about = intent_of(action)
    if about == asked["provider_ref"]:
        return False
    if about is None or action.get("status") != "in_progress":
        return True
    intent = client.payment_intents.retrieve(about).to_dict()
    if intent["status"] not in ENDED or marks.PAYMENT not in (intent.get("metadata") or {}):
        return False
    client.terminal.readers.cancel_action(asked["reader_ref"])
    return True


def give_up(client: V1Services, asked: Tree, options: Any) -> Any:
    """The reader asks no longer, and the intent is closed: whatever was held for it meanwhile is let go with it."""
    ref = asked["provider_ref"]
    reader = client.terminal.readers.retrieve(asked["reader_ref"])
    action = reader.to_dict().get("action") or {}
    if action.get("status") == "in_progress" and intent_of(action) == ref:
        # It may have the card in its hands, or be out of reach: the intent can be closed all the same, or says why not.
        with suppress(stripe.InvalidRequestError):
            client.terminal.readers.cancel_action(asked["reader_ref"])
    return client.payment_intents.cancel(ref, {"expand": _CHARGE}, options)


def enquire(client: V1Services, enquiry: Enquiry, intent: View) -> View:
    """How a payment stands of which the intent alone does not tell that a card was taken, or that none will be."""
    if intent.status is not ViewStatus.PREPARED or enquiry.reader_ref is None:
        return intent
    reader = client.terminal.readers.retrieve(enquiry.reader_ref)
    return of_reader(reader.to_dict(), intent.provider_ref) or intent


def intent_of(action: Tree) -> str | None:
    """The intent that an action of a reader is about."""
    asked = (action.get("process_payment_intent") or {}).get("payment_intent")
    told = asked.get("id") if isinstance(asked, dict) else asked
    return told if isinstance(told, str) else None


def of_reader(reader: Tree, ref: str | None = None) -> View | None:
    """What a reader tells about an intent; None when it is occupied with another one, or with nothing.

    A card that it took is not told by its sum here: the intent says how much is held.
    """
    action = reader.get("action") or {}
    about = intent_of(action)
    if about is None or (ref is not None and about != ref):
        return None
    if action.get("status") == "in_progress":
        return View(ViewStatus.REQUIRES_ACTION, provider_ref=about)
    if action.get("status") == "failed":
        code = str(action.get("failure_code") or "")
        if code in NOBODY_PAID:
            return View(ViewStatus.ABANDONED, provider_ref=about, code="cancelled_at_reader")
        error = action.get("api_error") or {}
        found = standard(views.PROVIDER, error.get("decline_code") or code, error.get("code") or code)
        return View(ViewStatus.DECLINED, provider_ref=about, code=found.code)
    return View(ViewStatus.PROCESSING, provider_ref=about)
