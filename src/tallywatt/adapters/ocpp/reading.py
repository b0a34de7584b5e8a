"""Pure: reading what stations write, strictly when they keep to the form, piece by piece when they do not.

A message that carries money or energy is never refused on its form: what can be read of it is taken, the rest is absent,
and a flag says so.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import inspect

from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

S = TypeVar("S", bound=msgspec.Struct)

SCHEMA = "schema"
TIME_UNREADABLE = "time_unreadable"
TIME_WITHOUT_ZONE = "time_without_zone"

NOT_STRICT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a strict decoder raises for a text that does not fit; nesting without end is one of them."""

LONGEST_TEXT = 255
"""No name, id or token of OCPP is longer; a longer one is absent."""
LONGEST_LIST = 10_000
_LONGEST_NUMBER = 18
"""Digits of a whole number that still fit 64 bits."""

_ZONE = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)\s*$", re.IGNORECASE)


class NoObject(ValueError):
    """The payload is not a JSON object, however kindly it is read."""


def time_of(text: str, received_at: Instant, flags: list[str]) -> Instant:
    """The instant of a station's text. Without zone it is UTC; an unreadable one gives way to the time of receipt."""
    try:
        at = parse_instant(text)
    except BadInput:
        flags.append(TIME_UNREADABLE)
        return received_at
    if text[-1:] != "Z" and not _ZONE.search(text[10:]):
        flags.append(TIME_WITHOUT_ZONE)
    return at


class Shape(Generic[S]):
    """One message's form. Every field may be absent in the struct; `required` names those whose absence is flagged."""

    def __init__(self, form: type[S], *required: str) -> None:
        self._strictly = msgspec.json.Decoder(form).decode
        self._form = form
        self._required = required

    def read(self, payload: msgspec.Raw, flags: list[str]) -> S:
        """The message, whatever can be read of it; NoObject when that is nothing."""
        try:
            found = self._strictly(payload)
        except NOT_STRICT:
            flags.append(SCHEMA)
            return self._kindly(bytes(payload))
        for name in self._required:
            if getattr(found, name) is None:
                flags.append(SCHEMA)
                break
        return found

    def _kindly(self, payload: bytes) -> S:
        given = loose(payload)
        if not isinstance(given, dict):
            raise NoObject
        mended: S = _mend(inspect.type_info(self._form), given)
        return mended


def loose(text: bytes) -> Any:
    """JSON read with patience: fractions exact, endless numbers absent, foreign letters replaced. NoObject if it is none."""
    try:
        return json.loads(
            text.decode("utf-8", "replace"),
            parse_float=Decimal,
            parse_int=_whole_text,
            parse_constant=lambda _: None,
            strict=False,
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NoObject from error


def _whole_text(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _mend(kind: inspect.Type, given: Any) -> Any:  # noqa: PLR0911  # one line a kind of JSON value
    """What of a JSON value fits a kind; None for nothing. Structs are built without checks, so this is the check."""
    if given is None:
        return None
    match kind:
        case inspect.UnionType():
            found = (_mend(one, given) for one in kind.types if not isinstance(one, inspect.NoneType))
            return next((one for one in found if one is not None), None)
        case inspect.StructType():
            return _mend_struct(kind, given)
        case inspect.ListType():
            items = given if isinstance(given, list) else [given]
            return [mended for one in items[:LONGEST_LIST] if (mended := _mend(kind.item_type, one)) is not None]
        case inspect.IntType():
            return _whole(kind, given)
        case inspect.StrType():
            return _text(given, kind.max_length)
        case inspect.BoolType():
            return {"true": True, "false": False}.get(str(given).lower())
        case _:
            return _exact(given)


def _mend_struct(kind: inspect.StructType, given: Any) -> Any:
    if not isinstance(given, dict):
        return None
    found = {field.name: _mend(field.type, given.get(field.encode_name)) for field in kind.fields}
    return kind.cls(**{name: value for name, value in found.items() if value is not None})


def _exact(given: Any) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, (int, str, Decimal)):
        return None
    try:
        return Decimal(given.strip() if isinstance(given, str) else given)
    except ArithmeticError:
        return None


def _whole(kind: inspect.IntType, given: Any) -> int | None:
    exact = _exact(given)
    # The size is looked at first: a text of a few characters can name a number that fills the memory.
    if (
        exact is None
        or not exact.is_finite()
        or exact.adjusted() > _LONGEST_NUMBER
        or exact != exact.to_integral_value()
    ):
        return None
    number = int(exact)
    fits = (kind.ge is None or number >= kind.ge) and (kind.le is None or number <= kind.le)
    return number if fits else None


def _text(given: Any, most: int | None) -> str | None:
    if isinstance(given, bool) or not isinstance(given, (str, int, Decimal)):
        return None
    text = str(given).replace("\0", "").encode("utf-8", "replace").decode()
    # A text longer than its field is kept whole: a shortened token would be another token.
    return text if most is None or len(text) <= LONGEST_TEXT else None
