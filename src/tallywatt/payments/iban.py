"""Pure: numbers of bank accounts (ISO 13616) and identifiers of those who collect by SEPA direct debit: read and checked."""

from __future__ import annotations

import re
from typing import Final

from tallywatt.kernel.errors import BadInput

LENGTHS: Final = {
    "AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15,
    "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""Countries of the SEPA schemes, and how long a number is there."""
OUTSIDE_EEA: Final = frozenset({"AD", "AL", "CH", "GB", "GI", "MC", "MD", "ME", "MK", "RS", "SM", "VA"})
"""Where the scheme wants the bank's own code (BIC) beside the number."""
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CREDITOR: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,27}")
_IN_TEXT: Final = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")


def read_iban(text: str) -> str:
    """The number without blanks, in capitals. A refusal never repeats what was given: it may be somebody's number."""
    plain = "".join(text.split()).upper()
    if not _IBAN.fullmatch(plain) or LENGTHS.get(plain[:2]) != len(plain) or not _checks(plain):
        msg = "this is no account number (IBAN) of a country of SEPA"
        raise BadInput(msg, code="debits.bad_iban", remedy="compare it with the bank card or the signed mandate")
    return plain


def check_ibans(text: str) -> None:
    """BadInput when a text for people, as it is printed on invoices, has a number of an account with a wrong digit in it."""
    for found in _IN_TEXT.findall(text):
        plain = found.replace(" ", "")
        # A word behind it may look like its end.
        read_iban(plain[: LENGTHS.get(plain[:2], len(plain))])


def read_bic(text: str | None, iban: str | None = None) -> str | None:
    """A bank's code; needed where the account is outside of the European Economic Area."""
    plain = "".join((text or "").split()).upper()
    if not plain and (iban is None or iban[:2] not in OUTSIDE_EEA):
        return None
    if not plain:
        msg = f"an account in {(iban or '')[:2]} needs the code of its bank (BIC) beside its number"
        raise BadInput(msg, code="debits.bic_needed", remedy="give it too: --bic, or `bic`")
    if not _BIC.fullmatch(plain):
        msg = "this is no bank's code (BIC)"
        raise BadInput(msg, code="debits.bad_bic", remedy="it has 8 or 11 letters and digits, such as MARKDEF1100")
    return plain


def read_creditor_id(text: str) -> str:
    """The creditor identifier: its check digits leave out the three letters that the creditor chooses."""
    plain = "".join(text.split()).upper()
    if not _CREDITOR.fullmatch(plain) or not _checks(plain[:4] + plain[7:]):
        msg = "this is no creditor identifier"
        remedy = "your central bank or your bank gave it to you: DE98ZZZ09999999999 is how one looks in Germany"
        raise BadInput(msg, code="debits.bad_creditor", remedy=remedy)
    return plain


def _checks(plain: str) -> bool:
    """Whether the two digits behind the country fit the rest (ISO 7064, modulo 97)."""
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(one, 36)) for one in moved)) % 97 == 1
