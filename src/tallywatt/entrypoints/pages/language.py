"""The language of whoever reads: chosen, negotiated or the operator's, and held for the answer that is being made.

English sentences are the keys; every other language is a catalogue in `locale/`, read when somebody first asks for it.
`_("A sentence")` says it in the reader's language; `later("A sentence")` marks one in a table that is said when it is read.
"""

from __future__ import annotations

import gettext as stdlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallywatt.customers.operator import SPOKEN_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "tallywatt"
ENGLISH: Final = "en"
LANGUAGES: Final = {ENGLISH: "English", "de": "Deutsch"}
"""Each language by the name that its speakers give it."""
FIGURES: Final = {ENGLISH: "en_GB", "de": "de_DE"}
"""How a language writes figures. One a language: a price on a page and in a sentence beside it look alike."""

MOST_ASKED: Final = 20
"""So many languages of a browser's list are looked at."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language, and whether the reader asked for it."""

    language: str = ENGLISH
    wished: bool = False


_spoken: ContextVar[Tongue] = ContextVar("tongue", default=Tongue())  # noqa: B039 - it cannot be changed: frozen


def language() -> str:
    """The language that is spoken at the moment: `en`, `de`."""
    return _spoken.get().language


def figures() -> str:
    """The locale of numbers, money and dates: `de_DE`."""
    return FIGURES[language()]


def known(tag: str | None) -> str | None:
    """The language of a BCP 47 tag (`de-AT`, `de_DE`) if we speak it."""
    name = (tag or "").replace("_", "-").split("-")[0].strip().lower()
    return name if name in LANGUAGES else None


def negotiate(accepted: str) -> str | None:
    """The best of our languages for an Accept-Language header; None where it names none of them, or cannot be read."""
    wishes: list[tuple[float, int, str]] = []
    refused = set()
    for place, one in enumerate(accepted.split(",")[:MOST_ASKED]):
        tag, _, parameters = one.partition(";")
        found = ENGLISH if tag.strip() == "*" else known(tag)
        weight = _weight(parameters)
        if found is None or weight is None:
            continue
        if weight == 0:
            refused.add(found)
        else:
            wishes.append((-weight, place, found))
    return next((found for *_, found in sorted(wishes) if found not in refused), None)


def _weight(parameters: str) -> float | None:
    """The q of a wish; 1 where there is none, None where it is no number."""
    text = parameters.strip()
    if not text:
        return 1.0
    name, _, value = text.partition("=")
    try:
        weight = float(value)
    except ValueError:
        return None
    return weight if name.strip().lower() == "q" and 0 <= weight <= 1 else None


def speak(wished: str | None) -> None:
    """Begin an answer in the language that its reader wishes; without a wish in English, until somebody knows better."""
    _spoken.set(Tongue(wished, wished=True) if wished else Tongue())


def rather(country: str | None) -> None:
    """The language of the operator's country, for a reader who did not ask for any."""
    found = SPOKEN_IN.get((country or "").upper())
    if found and not _spoken.get().wished:
        _spoken.set(Tongue(found))


@contextmanager
def speaking(tag: str | None) -> Iterator[None]:
    """Speak to somebody who is not asking: a letter in its reader's language, whoever wrote it."""
    before = _spoken.set(Tongue(known(tag) or ENGLISH, wished=True))
    try:
        yield
    finally:
        _spoken.reset(before)


@cache
def catalogue(name: str) -> stdlib.NullTranslations:
    """The sentences of a language. Read from its text when first asked for: nothing is to be compiled, nothing can be stale."""
    if name == ENGLISH:
        return stdlib.NullTranslations()
    from babel.messages.mofile import write_mo  # 30 ms that only a reader of another language pays, once
    from babel.messages.pofile import read_po

    with (HERE / name / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        read = read_po(file, locale=name, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return stdlib.GNUTranslations(compiled)


def gettext(sentence: str) -> str:
    """A sentence in the reader's language."""
    # The empty sentence is the catalogue's own header.
    return catalogue(language()).gettext(sentence) if sentence else ""


def ngettext(one: str, many: str, number: int) -> str:
    """A sentence with a number in it."""
    return catalogue(language()).ngettext(one, many, number)


def pgettext(context: str, sentence: str) -> str:
    """A sentence that would be another one elsewhere: 'open' as a state and as an order."""
    return catalogue(language()).pgettext(context, sentence)


def npgettext(context: str, one: str, many: str, number: int) -> str:
    """A sentence with a number in it, that would be another one elsewhere."""
    return catalogue(language()).npgettext(context, one, many, number)


def later(sentence: str) -> str:
    """The same sentence, marked for the catalogues: `_` says it when it is read."""
    return sentence


_ = gettext
