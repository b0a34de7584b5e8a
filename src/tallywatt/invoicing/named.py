"""Pure: the numbers of invoices that a payer has named, however they or their bank have written them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tallywatt.invoicing.invoice import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER: Final = re.compile(
    r"(?<![A-Z0-9])(?P<series>[A-Z0-9]{1,12})[ ./_-]*(?P<year>20[0-9]{2})[ ./_-]*(?P<sequence>[0-9]{1,9})(?![A-Z0-9])"
)
_STRUCTURED: Final = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")
"""A creditor reference (ISO 11649): its check digits say whether it was typed right."""
CHECKED_BY: Final = 97


def numbers_in(*texts: str | None) -> tuple[str, ...]:
    """Each number once, as our papers write it, in the order in which they are named."""
    return tuple(dict.fromkeys(number for text in texts if text for number in _numbers(text.upper())))


def _numbers(text: str) -> Iterator[str]:
    plain = re.sub(r"[^A-Z0-9]", "", text)
    if _STRUCTURED.fullmatch(plain) is not None:
        # A structured reference that does not check is a typing error: whose it was meant to be is not guessed.
        text = plain[4:] if _checks(plain) else ""
    for found in _NUMBER.finditer(text):
        yield f"{found['series']}-{found['year']}-{int(found['sequence']):0{DIGITS}d}"


def _checks(reference: str) -> bool:
    moved = reference[4:] + reference[:4]
    return int("".join(str(int(one, 36)) for one in moved)) % CHECKED_BY == 1
