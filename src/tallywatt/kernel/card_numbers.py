"""Pure: card numbers that came where none may be. They are hidden before anything is stored, and the finder is told.

A driver types one into a name, a terminal puts one into an idToken, a provider quotes one in an error. What carries it is still
recorded and answered; the number is not.
"""

from __future__ import annotations

import re
from typing import Final

# ISO/IEC 7812 numbers of payment cards: 13 to 19 digits that begin with 2 to 6, in one piece or in groups. A digit or letter on
# either side makes it something else: a meter's serial number, an id. Milliseconds since 1970 begin with 1.
_LOOKS_LIKE_ONE: Final = re.compile(r"(?<![0-9A-Za-z])[2-6](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])")
_SHOWN: Final = 4


def hide_card_numbers(text: str) -> tuple[str, int]:
    """The text with every card number reduced to its last four digits, and how many there were."""
    found = 0

    def hidden(match: re.Match[str]) -> str:
        nonlocal found
        digits = re.sub(r"[ -]", "", match[0])
        if not passes_luhn(digits):
            return match[0]
        found += 1
        return f"[card number ending {digits[-_SHOWN:]}]"

    return _LOOKS_LIKE_ONE.sub(hidden, text), found


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
