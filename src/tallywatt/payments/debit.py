"""Pure: collecting by SEPA direct debit: mandates, batches by day, what is asked of each payer, and what banks answer.

What is asked for is not paid: it waits in the books until a line of the bank says that it came.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.clock import (
    Instant,
)  # told reports travel over the control socket, and their types are read there

if TYPE_CHECKING:
    from tallywatt.kernel.identity import CustomerId, PaymentId

EUR: Final = "EUR"
"""SEPA moves euros alone."""
KIND: Final = "mandate"
"""The class of keys under which payers' accounts are sealed."""
UNUSED_YEARS: Final = 3
"""A mandate that was not used for 36 months is void (SEPA rulebooks, 4.1)."""
MOST_NOTICE_DAYS: Final = 60
LEAST_BANK_DAYS: Final = 2
"""Between making a file and collecting: one day for the way to the bank, and one that the bank wants it before."""
LONGEST_REF: Final = 35
LONGEST_NAME: Final = 70
LONGEST_TEXT: Final = 140
MOST_FEE_MINOR: Final = 50_00
"""More than that is no fee for what came back: a person looks at the line."""
REFERENCE: Final = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9+?/:().,'-]{1,35}(?<!/)")


class Scheme(StrEnum):
    """Under which rules is collected."""

    CORE = "core"
    """From anybody, who may have it back for eight weeks without a reason."""
    B2B = "b2b"
    """From businesses, whose bank knows the mandate, and who cannot have it back."""


class MandateState(StrEnum):
    """Whether a mandate lets money be collected."""

    ACTIVE = "active"
    PAUSED = "paused"
    """Something came back that a person has to look at."""
    ENDED = "ended"


class CollectionState(StrEnum):
    """How far it is with what is asked of one payer."""

    ASKED = "asked"
    """It stands in a file; nobody knows yet whether it came."""
    COLLECTED = "collected"
    """A line of the bank says so."""
    REJECTED = "rejected"
    """A bank would not do it; nothing came."""
    RETURNED = "returned"
    """It came and went back."""
    CANCELLED = "cancelled"
    """The file was never given to the bank."""


class Sequence(StrEnum):
    """Whether a mandate was used before."""

    FIRST = "FRST"
    RECURRENT = "RCUR"


class Consequence(StrEnum):
    """What a reason of a bank means for whoever collects."""

    END = "end"
    """The mandate or the account is no more."""
    TRY_AGAIN = "try_again"
    """It may work another time; it is asked for once more."""
    LOOK = "look"
    """A person decides."""


REASONS: Final[dict[str, Consequence]] = {
    "AC01": Consequence.END,  # the number of the account is wrong
    "AC04": Consequence.END,  # the account was closed
    "AC06": Consequence.END,  # the account is blocked
    "AC13": Consequence.END,  # a consumer's account in the scheme for businesses
    "AG01": Consequence.END,  # debits are forbidden on this kind of account
    "AG02": Consequence.LOOK,  # the sequence is wrong
    "AM04": Consequence.TRY_AGAIN,  # there is not enough money
    "AM05": Consequence.LOOK,  # the bank takes it for a duplicate
    "MD01": Consequence.END,  # there is no mandate, or it was withdrawn
    "MD02": Consequence.LOOK,  # something about the mandate is missing
    "MD06": Consequence.LOOK,  # the payer wants it back
    "MD07": Consequence.END,  # the payer has died
    "MS02": Consequence.TRY_AGAIN,  # not told: by the payer
    "MS03": Consequence.TRY_AGAIN,  # not told: where banks may not say that there was not enough
    "RC01": Consequence.LOOK,  # the bank's code is wrong
    "RR04": Consequence.LOOK,  # not told: by law
    "SL01": Consequence.LOOK,  # the payer lets this creditor collect no more
}
"""Codes of ISO 20022 that end, repeat or ask; every other one asks a person."""
MOST_TRIES: Final = 2


def consequence_of(code: str | None) -> Consequence:
    """What follows from a reason."""
    return REASONS.get(code or "", Consequence.LOOK)


@dataclass(frozen=True, slots=True)
class Creditor:
    """The operator as who collects: one row, in euros."""

    currency: str
    creditor_id: str
    name: str
    iban: str
    """The operator's own account, where the money comes in."""
    bic: str | None
    notice_days: int
    """How long before the day payers are told of it."""
    changed_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True)
class Mandate:
    """A customer's word that the operator may collect from an account. The account itself is sealed."""

    mandate_id: str
    reference: str
    customer_id: CustomerId
    scheme: Scheme
    key_id: str
    sealed_account: bytes
    """Name, number and bank of the payer, as JSON."""
    shown: str
    """The number as it may be shown: its country and its end."""
    signed_on: str
    state: MandateState
    used_on: str | None
    """The last day on which something was collected with it that no bank rejected."""
    created_at: Instant
    ended_at: Instant | None
    end_reason: str | None
    """revoked, unused, erased, or a bank's code; of a paused one the code that paused it."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class PayerAccount:
    """What is sealed in a mandate."""

    name: str
    iban: str
    bic: str | None

    def as_text(self) -> str:
        """To be sealed."""
        return json.dumps({"name": self.name, "iban": self.iban, "bic": self.bic})

    @staticmethod
    def of_text(text: str) -> PayerAccount:
        """As it was sealed."""
        told = json.loads(text)
        return PayerAccount(told["name"], told["iban"], told["bic"])


@dataclass(frozen=True, slots=True)
class DebitBatch:
    """What is collected on one day: one file, which is always the same, by one message id."""

    batch_id: str
    batch_key: str
    """Whoever asks for it names it; the same again is the same batch."""
    message_id: str
    collect_on: str
    currency: str
    creditor_id: str
    creditor_name: str
    creditor_iban: str
    creditor_bic: str | None
    count: int
    total_minor: int
    looked_to: str
    """The last mandate that was looked at while it was put together: after a crash it goes on behind that."""
    made_at: Instant
    closed_at: Instant | None
    """When all were looked at; before that it has no file."""
    given_at: Instant | None
    """When the file was first fetched."""
    cancelled_at: Instant | None
    version: int = 1


@dataclass(frozen=True, slots=True)
class DebitCollection:
    """What one payer is asked for in a batch: all that is due of them together."""

    collection_id: str
    batch_id: str
    mandate_id: str
    customer_id: CustomerId
    end_to_end: str
    """By it banks speak of it."""
    scheme: Scheme
    sequence: Sequence
    amount_minor: int
    currency: str
    remittance: str
    state: CollectionState
    reason: str | None
    """A bank's code, when it was rejected or went back."""
    pending_id: str
    """The transfer in the books that waits for the bank; nothing as long as it is being put together."""
    transfer_id: str | None
    line_id: str | None
    """The line of the bank by which it came."""
    return_line_id: str | None
    """The line by which it went back."""
    fee_minor: int
    """What banks have charged for that."""
    told_at: Instant | None
    """When the payer was told of it by letter."""
    created_at: Instant
    ended_at: Instant | None
    revision: int = 0
    """How often it was taken back that it had come."""
    version: int = 1

    @property
    def group(self) -> str:
        """Of which group of the file it is: a file puts together what has one scheme and one sequence."""
        return group_of(self.scheme, self.sequence)


@dataclass(frozen=True, slots=True)
class DebitPart:
    """So much of a collection is for that open item."""

    collection_id: str
    payment_id: PaymentId
    amount_minor: int
    is_open: bool
    """Whether it is still asked for; an item is asked for once at a time."""


@dataclass(frozen=True, slots=True)
class DueItem:
    """An open item that a mandate may be used for, with the number of its invoice."""

    mandate_id: str
    payment_id: PaymentId
    open_minor: int
    number: str | None


def group_of(scheme: Scheme, sequence: Sequence) -> str:
    """The end of the name of a group of a file."""
    return f"{scheme.value.upper()}-{sequence.value}"


def payment_information(message_id: str, group: str) -> str:
    """The name of a group of a file, by which a bank books it in one sum."""
    return f"{message_id}-{group}"


def void_from(signed_on: str, used_on: str | None) -> str:
    """The first day on which a mandate is void because it was not used."""
    last = date.fromisoformat(used_on or signed_on)
    if (last.month, last.day) == (2, 29):
        return date(last.year + UNUSED_YEARS, 3, 1).isoformat()
    return last.replace(year=last.year + UNUSED_YEARS).isoformat()


def bound_to(operator_id: str, mandate_id: str) -> str:
    """What an account is sealed with: copied into another row it opens nothing."""
    return f"{operator_id}/{mandate_id}"


_SPELLED: Final = str.maketrans(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o",
        "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "&": "+", "_": "-",
    }
)  # fmt: skip


def in_bank_letters(text: str, longest: int) -> str:
    """A text in the letters that every bank of SEPA reads; what has no such letter becomes a dot."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()).translate(_SPELLED))
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return re.sub(r"[^A-Za-z0-9 /?:().,'+-]", ".", bare)[:longest].strip() or "."


@dataclass(frozen=True, slots=True)
class ToldStatus:
    """What a bank's report says of one collection, of a group, or of a whole file."""

    message_id: str
    group: str | None
    """The name of the group; None: it is about more, or about less."""
    end_to_end: str | None
    is_rejected: bool
    reason: str | None
