"""Brings the catalogues up to date: `python -m tallywatt.entrypoints.pages.extract` (`make locale`).

It reads what the pages say, adds new sentences to every catalogue without a translation, and drops those that nobody says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages.language import DOMAIN, ENGLISH, HERE, LANGUAGES
from tallywatt.rating import explain, findings, tongue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from babel.messages.catalog import Catalog

PRICES: Final = HERE.parents[2] / "rating" / "locale"
"""The catalogues of what explains a price; they know more languages than the pages."""
SOURCES: Final = HERE.parent.parent
"""Where things are said: all entrypoints."""
METHODS: Final = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
OPTIONS: Final = {"**/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS: Final[dict[str, Any]] = {
    "_": None, "gettext": None, "later": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
NOTES: Final = ["For translators:"]
WIDTH: Final = 0
"""No line is broken: a changed sentence is one changed line."""
HEADER: Final = (
    "# What Tallywatt says, in another language. `make locale` keeps it up to date; a translation is written by hand."
)


LEFT_OUT: Final = (
    '"POT-',
    '"PO-',
    '"Last-Translator',
    '"Language-Team',
    '"Generated-By',
    '"Project-Id',
    '"Report-Msgid',
)
"""Of the header: dates would make two updates of the same sentences differ."""


def said(root: Path = SOURCES) -> Catalog:
    """Every sentence that the pages and the letters say."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_from_dir

    found = Catalog(project="Tallywatt", domain=DOMAIN, header_comment=HEADER)
    pieces: Iterable[tuple[str, int, Any, list[str], str | None]] = extract_from_dir(
        root, METHODS, OPTIONS, KEYWORDS, NOTES
    )
    for name, _line, sentence, comments, context in pieces:
        # Files without their lines: a catalogue changes when a sentence does, not when one moves.
        where: Any = [(name, None)]
        found.add(sentence, None, where, auto_comments=comments, context=context)
    for sentence in findings.sentences():
        found.add(sentence, None, [("rating/findings.py", None)])  # type: ignore[list-item]  # a file without a line, as above
    return found


def said_of_prices() -> Catalog:
    """Every template of `rating.explain`, under its key."""
    from babel.messages.catalog import Catalog

    found = Catalog(project="Tallywatt", domain=tongue.DOMAIN, header_comment=HEADER)
    for key, english in explain.ENGLISH.items():
        found.add(english, None, context=key)
    return found


def path_of(name: str, root: Path = HERE, domain: str = DOMAIN) -> Path:
    """Where the catalogue of a language lies."""
    return root / name / "LC_MESSAGES" / f"{domain}.po"


def written(name: str, root: Path = HERE, domain: str = DOMAIN) -> Catalog:
    """The catalogue of a language as it is written down."""
    from babel.messages.pofile import read_po

    with path_of(name, root, domain).open("rb") as file:
        return read_po(file, locale=name, domain=domain)


def update(name: str, fresh: Catalog, root: Path = HERE) -> list[str]:
    """Bring one catalogue up to date; returns the sentences that wait for a translation."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    domain = str(fresh.domain)
    path = path_of(name, root, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue = written(name, root, domain) if path.exists() else Catalog(locale=name, domain=domain)
    catalogue.fuzzy = False
    # A sentence that is merely like another one is another one: no guessed translation.
    catalogue.update(fresh, no_fuzzy_matching=True, update_header_comment=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=WIDTH, sort_output=True, ignore_obsolete=True, omit_header=False)
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in text if not line.startswith(LEFT_OUT)), encoding="utf-8")
    return [str(one.id) for one in catalogue if one.id and not _is_translated(one.string)]


def _is_translated(string: object) -> bool:
    return all(string) if isinstance(string, (tuple, list)) else bool(string)


def main() -> None:
    """Update every catalogue and say what is still to be translated."""
    for fresh, root, names in ((said(), HERE, LANGUAGES), (said_of_prices(), PRICES, tongue.LANGUAGES)):
        for name in names:
            if name == ENGLISH:
                continue
            waiting = update(name, fresh, root)
            told = f"{path_of(name, root, str(fresh.domain))}: {len(fresh)} sentences, {len(waiting)} to translate"
            print(told, *waiting, sep="\n  ")  # noqa: T201 - a tool for the terminal


if __name__ == "__main__":
    main()
