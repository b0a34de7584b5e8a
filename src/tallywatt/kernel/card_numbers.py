"""Pure: card numbers that came where none may be. They are hidden before anything is stored, and the finder is told.

A driver types one into a name, a terminal puts one into an idToken, a provider quotes one in an error. What carries it is still
recorded and answered; the number is not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

# ISO/IEC 7812 numbers of payment cards: 13 to 19 digits that begin with 2 to 6, in one piece or in groups. A digit or letter on
# either side makes it something else: a meter's serial number, an id; a point between digits makes it a fraction. Milliseconds
# since 1970 begin with 1.
_LOOKS_LIKE_ONE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9]\.)[2-6](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])(?!\.[0-9])", re.ASCII
)
# What nearly every text fails at, in half the time.
_MIGHT_BE_ONE: Final = re.compile(r"[2-6](?:[ -]?[0-9]){12}", re.ASCII)
_MIGHT_BE_ONE_RAW: Final = re.compile(rb"[2-6](?:[ -]?[0-9]){12}")
_AS_NOUGHTS: Final = bytes.maketrans(b"123456789", b"000000000")
_RUN: Final = b"0" * 13
_TEXT_OF: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*"(?:[^"\\]|\\.)*\Z', re.DOTALL)
_NUMBER_OF: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*\Z', re.DOTALL)
_GROUP: Final = re.compile(r"[0-9]+", re.ASCII)
_QUOTE: Final = re.compile(r'\\.|"', re.DOTALL)
_SHOWN: Final = 4
SHORTEST: Final = 13
"""No number of a payment card has fewer digits."""
LONGEST: Final = 19


def hide_card_numbers(text: str) -> tuple[str, int]:
    """The text with every card number reduced to its last four digits, and how many there were."""
    if _MIGHT_BE_ONE.search(text) is None:
        return text, 0
    found = 0

    def hidden(match: re.Match[str]) -> str:
        nonlocal found
        shown = _hidden(match)
        found += shown != match[0]
        return shown

    return _LOOKS_LIKE_ONE.sub(hidden, text), found


def card_number_in(text: str) -> str | None:
    """The digits of the first card number in a text, or None."""
    places = (_place_of_one(match[0]) for match in _LOOKS_LIKE_ONE.finditer(text))
    return next((place[2] for place in places if place is not None), None)


def hide_in_json(text: str, spared: Container[str] = (), *, numbers: bool = False) -> str:
    """JSON with every card number in its texts hidden; what a spared name holds stays.

    A number is a quantity and stays too, unless `numbers` says that anything may stand there. Nothing else changes, not a
    blank: what was said is kept as it was said. What is no JSON is a text.
    """
    if _MIGHT_BE_ONE.search(text) is None:
        return text
    if '"' not in text:
        return hide_card_numbers(text)[0]

    def hidden(match: re.Match[str]) -> str:
        before = text[: match.start()]
        in_text = sum(quote[0] == '"' for quote in _QUOTE.finditer(before)) % 2 == 1
        name = (_TEXT_OF if in_text else _NUMBER_OF).search(before)
        if not (in_text or numbers) or (name is not None and name[1] in spared):
            return match[0]
        shown = _hidden(match)
        return shown if in_text or shown == match[0] else f'"{shown}"'

    return _LOOKS_LIKE_ONE.sub(hidden, text)


def might_hold_one(raw: bytes) -> bool:
    """Whether bytes are worth a closer look: one quick pass over what nearly always holds none.

    A run of digits, blanks and hyphens left out, is found ten times as fast as the pattern; it may say yes too often.
    """
    return _RUN in raw.translate(_AS_NOUGHTS, b" -") and _MIGHT_BE_ONE_RAW.search(raw) is not None


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _place_of_one(text: str) -> tuple[int, int, str] | None:
    """Where in digits and groups of digits a card number stands: a date or a time may stand beside it."""
    groups = list(_GROUP.finditer(text))
    for first, start in enumerate(groups):
        for end in reversed(groups[first:]):
            digits = text[start.start() : end.end()].replace(" ", "").replace("-", "")
            if SHORTEST <= len(digits) <= LONGEST and digits[0] in "23456" and passes_luhn(digits):
                return start.start(), end.end(), digits
    return None


def _hidden(match: re.Match[str]) -> str:
    text = match[0]
    found = _place_of_one(text)
    if found is None:
        return text
    start, end, digits = found
    return f"{text[:start]}[card number ending {digits[-_SHOWN:]}]{text[end:]}"
