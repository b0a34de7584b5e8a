"""Pure: what went over the wire between a station and us: both directions, without secrets, packed in chunks for the log.

The log is for whoever looks after stations. It is no evidence: that is the sealed frame of each fact, which is durable before
its answer. The log is written a little later, hides what opens something or names a card, and ends after its days.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.card_numbers import hide_in_json, might_hold_one
from tallywatt.kernel.clock import Instant
from tallywatt.stations.configuration import HIDDEN, SECRET, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tallywatt.kernel.identity import StationId

LONGEST_LOGGED: Final = 65_536
"""Letters of one message; what is longer is cut, and says so."""
MOST_NAMES: Final = 64
"""Actions or transactions that a chunk is found by."""
UNREADABLE: Final = "?"
"""The action of what is no message of OCPP-J, or of an answer to nothing."""
LEVEL: Final = 1


class Direction(StrEnum):
    """Who said it."""

    IN = "in"
    """The station."""
    OUT = "out"
    """We."""


class Kind(StrEnum):
    """What sort of message of OCPP-J it is."""

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    RESULT_ERROR = "result_error"
    SEND = "send"
    BROKEN = "broken"


_KINDS: Final = {"2": Kind.CALL, "3": Kind.RESULT, "4": Kind.ERROR, "5": Kind.RESULT_ERROR, "6": Kind.SEND}
_OTHER: Final = {Direction.IN: Direction.OUT, Direction.OUT: Direction.IN}
_ASKS: Final = frozenset({Kind.CALL, Kind.SEND})
_ANSWERS: Final = frozenset({Kind.RESULT, Kind.ERROR})


@dataclass(frozen=True, slots=True)
class Logged:
    """One message, as it is kept and shown."""

    at: Instant
    """Machine time: when it came, or left."""
    direction: Direction
    kind: Kind
    message_id: str
    action: str
    """Of an answer: what it answers."""
    transaction: str
    """The transaction that it names, or whose number its answer gave; empty: none."""
    text: str
    size: int
    """Bytes on the wire."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some messages of one station in a row, packed; `actions` and `transactions` are what they are found by."""

    station_id: StationId
    first_at: Instant
    last_at: Instant
    messages: int
    actions: tuple[str, ...]
    transactions: tuple[str, ...]
    packed: bytes


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """A chunk as it is stored: sealed."""

    chunk_id: str
    station_id: StationId
    first_at: Instant
    last_at: Instant
    messages: int
    actions: tuple[str, ...]
    transactions: tuple[str, ...]
    key_id: str
    sealed: bytes


# --- what is never kept ---

OF_MACHINES: Final = frozenset(
    {
        "transactionId", "messageId", "chargePointSerialNumber", "chargeBoxSerialNumber", "meterSerialNumber",
        "serialNumber", "iccid", "imsi", "value", "meterStart", "meterStop", "signedMeterData", "publicKey",
    }
)  # fmt: skip
"""Fields of OCPP that a machine fills with its own numbers: one in ten of those with 13 to 19 digits passes for a card's."""

_NAMES: Final = (
    "idTag", "parentIdTag", "idToken", "groupIdToken", "additionalIdToken", "masterPassGroupId", "token", "accessToken",
    "password", "basicAuthPassword", "apnPassword", "vpnPassword", "secret", "authorizationKey", "vpnKey", "privateKey",
    "apiKey", "apnSimPin", "simPin", "pin", "exiRequest", "exiResponse", "evccId", "emaid", "customerIdentifier",
    "cardNumber", "uid", "rfid",
)  # fmt: skip
"""Fields that name a person's card or open something, in OCPP and in what makers say inside of a data transfer."""
_SIGNS: Final = (
    b"tag", b"token", b"pass", b"secret", b"key", b"pin", b"exi", b"evcc", b"emaid", b"customer", b"card", b"uid", b"rfid",
    b"://",
)  # fmt: skip
"""In small letters: a message that holds none of these holds no such field. Most meter values end here."""


def _spellings(name: str) -> tuple[str, ...]:
    snake = re.sub(r"([A-Z])", r"_\1", name).lower()
    return (name, name.lower(), name.upper(), name[0].upper() + name[1:], snake, snake.upper())


# Every spelling is written out: a pattern that minds no capitals takes ten times as long.
_FIELD: Final = "|".join(dict.fromkeys(one for name in _NAMES for one in _spellings(name)))
_VALUE: Final = re.compile(rf'("(?:{_FIELD})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)', re.DOTALL)
# JSON within a text of JSON has its own quotes, with backslashes.
_WITHIN: Final = re.compile(rf'((\\+")(?:{_FIELD})\2\s*:\s*)\2?[^"\\,}}]*(?:\2)?')
_PRIVATE: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_IN_URL: Final = re.compile(r"(://)[^/@\s\"]+@")
_TOLD: Final = re.compile(r'("data"\s*:\s*)"(?:[^"\\]|\\.)*"', re.DOTALL)
"""What a station tells about a customer, in words of its own."""


def without_what_opens(text: bytes) -> str:
    """A message as the log keeps it: cards, keys, passwords and private parts hidden, everything else as it was said."""
    lower = text.lower()
    shown = text.decode("utf-8", "replace")
    if might_hold_one(text):
        shown = hide_in_json(shown, OF_MACHINES, numbers=True)
    if not any(sign in lower for sign in _SIGNS):
        return shown
    if any(name.encode() in lower for name in SECRET):
        shown = _with_keys_hidden(shown)
    shown = _VALUE.sub(rf'\1"{HIDDEN}"', shown)
    if '\\"' in shown:
        shown = _WITHIN.sub(rf"\1\2{HIDDEN}\2", shown)
    if "NotifyCustomerInformation" in shown:
        shown = _TOLD.sub(rf'\1"{HIDDEN}"', shown)
    if "://" in shown:
        shown = _IN_URL.sub(rf"\1{HIDDEN}@", shown)
    return _PRIVATE.sub(HIDDEN, shown) if "PRIVATE KEY" in shown else shown


def _with_keys_hidden(text: str) -> str:
    """Configuration with a key: which value it is stands beside it, so that the message has to be read."""
    try:
        return json.dumps(without_secrets(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        # A message that cannot be read and names a key is kept as the fact that it came.
        return f'"{HIDDEN}"'


# --- what a message is about ---

# An id with an escaped letter in it is read as none: nobody sends them, and looking for them costs a third of it all.
_BEGINNING: Final = re.compile(
    r'\s*\[\s*(-?\d{1,9})\s*(?:,\s*(?:"([^"\\]{0,255})"|(-?\d{1,18}))\s*(?:,\s*"([A-Za-z0-9]{1,64})"\s*[,\]])?)?'
)
_TRANSACTION: Final = re.compile(r'"transactionId"\s*:\s*(?:"([^"\\]{1,64})"|(-?\d{1,18}))')
MOST_OPEN: Final = 64
"""Calls of one station whose answers are still looked for."""


class OpenCalls:
    """The calls of one station that have no answer yet, whoever made them: an answer does not say what it answers."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: dict[tuple[Direction, str], str] = {}

    def ask(self, direction: Direction, message_id: str, action: str) -> None:
        """Somebody asks."""
        self._calls[direction, message_id] = action
        if len(self._calls) > MOST_OPEN:
            del self._calls[next(iter(self._calls))]

    def answered(self, direction: Direction, message_id: str) -> str:
        """The other one answers; what was asked."""
        return self._calls.pop((_OTHER[direction], message_id), UNREADABLE)


Head = list[Any]
"""When, who, what sort, the message's id, its action, its transaction, its size: a `Logged` without its text."""


def _head(at: Instant, direction: Direction, text: str, size: int, calls: OpenCalls) -> Head:
    """What a message is about, as far as its own text and the call before it say."""
    beginning = _BEGINNING.match(text)
    if beginning is None:
        return [at, direction, Kind.BROKEN, "", UNREADABLE, "", size]
    number, named, counted, action = beginning.groups()
    kind = _KINDS.get(number, Kind.BROKEN)
    message_id = (named or counted or "")[:64]
    if kind in _ASKS:
        action = action or UNREADABLE
        calls.ask(direction, message_id, action)
    else:
        action = calls.answered(direction, message_id) if kind in _ANSWERS else UNREADABLE
    transaction = ""
    if '"transactionId"' in text:
        found = _TRANSACTION.search(text)
        transaction = "" if found is None else found[1] or found[2]
    return [at, direction, kind, message_id, action, transaction, size]


# --- chunks ---

# What deflate may refer back to, so that a chunk of two messages is small, too. It belongs to the format and never changes.
_WORDS: Final = (
    b'"idTagInfo":{"status":"Accepted"},"transactionId":"currentTime":"interval":300"status":"Accepted"'
    b'"BootNotification","Authorize","Heartbeat",{}]"StatusNotification",{"connectorId":1,"errorCode":"NoError","status":'
    b'"Available""Charging""Preparing""Finishing""timestamp":"2026-"StartTransaction","StopTransaction",{"meterStop":'
    b'"TransactionEvent",{"eventType":"Updated","triggerReason":"MeterValuePeriodic","seqNo":"transactionInfo":'
    b'{"transactionId":"evse":{"id":1,"connectorId":1},"meterValue":[{"timestamp":"2026-"sampledValue":[{"value":"unit":"kWh"'
    b'"context":"Sample.Periodic","location":"Outlet","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}]'
    b'"MeterValues",{"connectorId":1,"transactionId":1,"meterValue":[{"timestamp":"2026-"idTag":"***"'
)
_APART: Final = "\0"


def gathered(station_id: StationId, told: Sequence[tuple[Instant, Direction, bytes]], calls: OpenCalls) -> Chunk:
    """A chunk of messages in their order; the call behind an answer with a transaction belongs to that transaction, too."""
    assert told, "a chunk holds something"
    heads: list[Head] = []
    texts = _shown([text for _, _, text in told])
    asked: dict[tuple[Direction, str], Head] = {}
    for (at, direction, raw), text in zip(told, texts, strict=True):
        head = _head(at, direction, text, len(raw), calls)
        _, _, kind, message_id, _, transaction, _ = head
        if kind in _ASKS:
            asked[direction, message_id] = head
        elif transaction and (call := asked.get((_OTHER[direction], message_id))) is not None:
            call[5] = call[5] or transaction
        heads.append(head)
    return Chunk(
        station_id,
        min(head[0] for head in heads),
        max(head[0] for head in heads),
        len(heads),
        _named(head[4] for head in heads),
        _named(head[5] for head in heads if head[5]),
        _packed(heads, texts),
    )


def _shown(raw: Sequence[bytes]) -> list[str]:
    """The texts as they are kept. All are looked at in one go: mostly there is nothing to hide in any of them."""
    lower = b" ".join(raw).lower()
    harmless = not might_hold_one(lower) and not any(sign in lower for sign in _SIGNS)
    shown = [one.decode("utf-8", "replace") if harmless else without_what_opens(one) for one in raw]
    return [_cut(one.replace(_APART, "\N{REPLACEMENT CHARACTER}")) for one in shown]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LOGGED else f"{text[:LONGEST_LOGGED]}…"


def _named(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MOST_NAMES]


def _packed(heads: list[Head], texts: list[str]) -> bytes:
    """Messages in as few bytes as are had quickly."""
    plain = _APART.join((json.dumps(heads, separators=(",", ":")), *texts))
    deflating = zlib.compressobj(LEVEL, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return deflating.compress(plain.encode("utf-8", "replace")) + deflating.flush()


def unpacked(content: bytes) -> list[Logged]:
    """The messages of a chunk."""
    inflating = zlib.decompressobj(-15, _WORDS)
    heads, *texts = (inflating.decompress(content) + inflating.flush()).decode().split(_APART)
    return [
        Logged(Instant(at), Direction(direction), Kind(kind), message_id, action, transaction, text, size)
        for (at, direction, kind, message_id, action, transaction, size), text in zip(
            json.loads(heads), texts, strict=True
        )
    ]
