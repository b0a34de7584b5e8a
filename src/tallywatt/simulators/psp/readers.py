"""Card readers over the common books: what one is asked, the card that is held to it, and how it misbehaves.

A reader takes one request at a time. A person holds a card to it on its page (`/_reader/{id}`), or it was told beforehand
what comes (`/_readers`): a card, nothing, somebody who cancels, or no connection. One whose name begins with
`tmr_simulated` is there without having been registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.simulators.psp import intents, objects
from tallywatt.simulators.psp.cards import CARDS
from tallywatt.simulators.psp.forms import BOOL, INT, MAP, TEXT, Schema
from tallywatt.simulators.psp.refusals import Refusal, bad_request

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object
    from tallywatt.simulators.psp.call import Call

READER: Final = "terminal.reader"
THERE_ALREADY: Final = "tmr_simulated"
CREATE: Final[Schema] = {
    "expand": [TEXT],
    "label": TEXT,
    "location": TEXT,
    "metadata": MAP,
    "registration_code": TEXT,
}
PROCESS: Final[Schema] = {
    "expand": [TEXT],
    "payment_intent": TEXT,
    "process_config": {"enable_customer_cancellation": BOOL, "skip_tipping": BOOL},
}
PRESENT: Final[Schema] = {
    "expand": [TEXT],
    "type": ("card_present", "interac_present"),
    "card_present": {"number": TEXT},
}
DISPLAY: Final[Schema] = {
    "cart": {
        "currency": TEXT,
        "line_items": [{"amount": INT, "description": TEXT, "quantity": INT}],
        "tax": INT,
        "total": INT,
    },
    "expand": [TEXT],
    "type": ("cart",),
}
CANCELLED: Final = ("customer_canceled", "The customer canceled the payment on the reader.")


def create(call: Call) -> Object:
    """POST /v1/terminal/readers."""
    return call.put(new(call, call.new_id("tmr"), call.params.get("label") or "Simulated reader"))


def new(call: Call, id_: str, label: str) -> Object:
    """A reader that is on the line and asks for nothing."""
    return {
        "id": id_,
        "object": READER,
        "action": None,
        "device_sw_version": "",
        "device_type": "simulated_wisepos_e",
        "ip_address": "127.0.0.1",
        "label": label,
        "last_seen_at": call.now * 1000,
        "livemode": False,
        "location": call.params.get("location"),
        "metadata": call.params.get("metadata", {}),
        "serial_number": id_[-12:],
        "status": "online",
        "_next": None,
    }


def reader_of(call: Call, id_: str) -> Object:
    """The reader of that name, or the 404 that the provider gives."""
    if id_.startswith(THERE_ALREADY) and call.find(id_) is None:
        return call.put(new(call, id_, id_))
    return call.get(READER, id_, "reader")


def retrieve(call: Call) -> Object:
    """GET /v1/terminal/readers/{id}."""
    return reader_of(call, call.id)


def display(call: Call) -> Object:
    """POST /v1/terminal/readers/{id}/set_reader_display: what is in the cart, before a card is asked for."""
    reader = reader_of(call, call.id)
    ready(reader)
    show(reader, call.params["cart"])
    call.event("terminal.reader.action_succeeded", call.put(reader))
    return reader


def show(reader: Object, cart: Object) -> None:
    """It shows that until it is asked for something else."""
    told = {"type": "cart", "cart": cart}
    quiet = {"failure_code": None, "failure_message": None, "api_error": None}
    reader["action"] = {"type": "set_reader_display", "status": "succeeded", "set_reader_display": told, **quiet}


def ready(reader: Object) -> None:
    """The 400 that the provider gives about a reader that can be asked for nothing now."""
    if reader["status"] != "online":
        msg = "Reader is currently offline, please ensure the reader is powered on and connected to the internet."
        raise bad_request(msg, code="terminal_reader_offline")
    if busy(reader):
        msg = "Reader is currently in use or busy processing another request. Please reset the reader."
        raise bad_request(msg, code="terminal_reader_busy")


def process(call: Call) -> Object:
    """POST /v1/terminal/readers/{id}/process_payment_intent: it asks for the card of an intent."""
    reader = reader_of(call, call.id)
    intent = intents.current(call, call.params["payment_intent"])
    ready(reader)
    if intent["status"] != "requires_payment_method" or "card_present" not in intent["payment_method_types"]:
        raise intents.unexpected(intent, "processed on a reader")
    reader["action"] = {
        "api_error": None,
        "failure_code": None,
        "failure_message": None,
        "process_payment_intent": {
            "payment_intent": intent["id"],
            "process_config": call.params.get("process_config", {}),
        },
        "status": "in_progress",
        "type": "process_payment_intent",
    }
    asked = dict(call.put(reader), action=dict(reader["action"]))
    if reader["_next"] is not None:
        come(call, reader, reader["_next"])
    return asked


def busy(reader: Object) -> bool:
    """Whether it asks for a card now."""
    return (reader["action"] or {}).get("status") == "in_progress"


def intent_asked(reader: Object) -> str | None:
    """The intent for whose card it asks now."""
    return str(reader["action"]["process_payment_intent"]["payment_intent"]) if busy(reader) else None


def cancel(call: Call) -> Object:
    """POST /v1/terminal/readers/{id}/cancel_action: it asks no longer."""
    reader = reader_of(call, call.id)
    if reader["status"] != "online":
        msg = "Reader is currently offline, please ensure the reader is powered on and connected to the internet."
        raise bad_request(msg, code="terminal_reader_offline")
    reader["action"] = None
    return call.put(reader)


def present(call: Call) -> Object:
    """POST /v1/test_helpers/terminal/readers/{id}/present_payment_method: a test card is held to it."""
    reader = reader_of(call, call.id)
    if not busy(reader):
        msg = "The reader is not waiting for a payment method."
        raise bad_request(msg)
    return come(call, reader, "pm_card_visa")


def come(call: Call, reader: Object, what: str) -> Object:
    """A card comes, by its name, or `cancel`: somebody presses the red key. A card that comes to nothing does nothing."""
    if not busy(reader):
        return reader
    action = reader["action"]
    intent = intents.current(call, action["process_payment_intent"]["payment_intent"])
    if what == "cancel":
        return _failed(call, reader, *CANCELLED, None)
    method = call.put(objects.card_present(call, CARDS[what]))
    try:
        if intent["status"] != "requires_payment_method":
            # A reader without a connection goes on asking for what was ended meanwhile.
            raise intents.unexpected(intent, "confirmed")
        intents.charge(call, intent, method)
    except Refusal as refusal:
        error = {
            name: value for name, value in refusal.error.items() if name not in ("payment_intent", "payment_method")
        }
        return _failed(call, reader, refusal.error["code"], refusal.error["message"], error)
    action["status"] = "succeeded"
    call.event("terminal.reader.action_succeeded", call.put(reader))
    return reader


def _failed(call: Call, reader: Object, code: str, message: str, error: dict[str, Any] | None) -> Object:
    reader["action"] |= {"status": "failed", "failure_code": code, "failure_message": message, "api_error": error}
    call.event("terminal.reader.action_failed", call.put(reader))
    return reader


def set_up(call: Call, reader: str, *, status: str | None = None, comes: str | None = None) -> list[Object]:
    """What a reader is told beforehand: whether it is there, and what comes as soon as it asks (empty: a person plays it)."""
    if call.find(reader) is None and not reader.startswith(THERE_ALREADY):
        return []
    found = reader_of(call, reader)
    if status is not None:
        found["status"] = status
    if comes is not None:
        found["_next"] = comes or None
    return [call.put(found)]


def tap(call: Call, reader: str, *, comes: str) -> list[Object]:
    """Somebody does something at a reader now."""
    return [come(call, reader_of(call, reader), comes)] if call.find(reader) is not None else []
