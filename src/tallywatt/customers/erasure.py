"""Pure: the erasure of a customer: what is searched for, what stands in its place, and how far it has come."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant

GONE: Final = "[erased]"
SHORTEST_NAME: Final = 3
"""A name of two letters would be found inside every other word."""


class ErasureState(StrEnum):
    """How far it has come."""

    SEARCHING = "searching"
    """The account is empty; frames, messages and lists are being searched."""
    KEPT = "kept"
    """Nothing is left but invoices that the law wants kept."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Erasure:
    """A customer who is to be forgotten. What is searched for is sealed, and gone when the search is over."""

    erasure_id: str
    customer_id: str
    state: ErasureState
    key_id: str | None
    sealed: bytes | None
    rows: int
    """In how many places something was found and removed."""
    requested_at: Instant
    kept_until: str | None
    """The last day on which an invoice of the customer has to be there: `2034-12-31`."""
    done_at: Instant | None
    version: int = 1


@dataclass(frozen=True)
class Traces:
    """What leads to one person: tokens, each with the word that stands in its place, and words that are simply removed."""

    tokens: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def as_text(self) -> str:
        """To be sealed."""
        return json.dumps({"tokens": self.tokens, "words": self.words})

    @staticmethod
    def of_text(text: str) -> Traces:
        """As it was sealed."""
        told = json.loads(text)
        return Traces(tuple((uid, instead) for uid, instead in told["tokens"]), tuple(told["words"]))

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """For a first look by a database: pieces that every place with a trace contains, in lower case.

        Databases disagree about what is upper case beyond ASCII, so a piece has none of that.
        """
        found = {_plainest(one) for one in (*(uid for uid, _ in self.tokens), *self.words)}
        return tuple(sorted(one for one in found if one))

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        whole = [(uid, instead, rf"(?<![0-9A-Za-z]){re.escape(uid)}(?![0-9A-Za-z])") for uid, instead in self.tokens]
        # A short uid is a number like any other, unless it stands for itself.
        found = [
            (rf'(?:(?<=")|^){re.escape(uid)}(?="|$)' if len(uid) < 6 else pattern, instead)
            for uid, instead, pattern in whole
        ]
        found += [(re.escape(form), GONE) for word in self.words for form in _forms(word)]
        return [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in found]

    def removed_from(self, text: str) -> str:
        """The text without any trace; the same text when there is none."""
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        return text

    def is_in(self, text: str) -> bool:
        """Whether a text leads to the person."""
        return any(pattern.search(text) for pattern, _ in self._patterns)


def _forms(word: str) -> list[str]:
    """A word as it stands in a text, and as JSON spells it, with and without letters beyond ASCII."""
    return list(dict.fromkeys([word, json.dumps(word, ensure_ascii=False)[1:-1], json.dumps(word)[1:-1]]))


def _plainest(word: str) -> str:
    runs = re.findall(r"[0-9A-Za-z@. _-]+", word)
    return max(runs, key=len, default="").lower()


def traces_of(
    tokens: tuple[tuple[str, str], ...], names: list[str], email: str | None, address: str | None, reference: str
) -> Traces:
    """What is searched for. The operator's own number is a word only when it is an address of the person's."""
    words = [*names, email or "", address or "", reference if "@" in reference else ""]
    lines = (address or "").splitlines()
    words += lines[:1] if len(lines) > 1 else []
    kept = (one.strip() for one in words)
    return Traces(tokens, tuple(dict.fromkeys(one for one in kept if len(one) >= SHORTEST_NAME)))
