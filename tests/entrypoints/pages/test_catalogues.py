"""The catalogues and the templates: nothing is said that has no translation, and nothing is said beside the catalogues."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jinja2 import nodes

from tallywatt.entrypoints.pages import render
from tallywatt.entrypoints.pages.extract import said, written
from tallywatt.entrypoints.pages.language import ENGLISH, LANGUAGES
from tallywatt.entrypoints.pages.problem_words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Catalog, Message

TEMPLATES = sorted((render.HERE / "templates").glob("*.html"))
OTHERS = sorted(set(LANGUAGES) - {ENGLISH})
SAYS = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
NAMES = {"Tallywatt", "kWh", "kW", "API", "OpenAPI", "OCPP", "DE", "h", "min", "ms"}
"""What is called the same in every language."""
IN_ENGLISH = {"docs.html", "design.html"}
"""For those who write programs and pages: the reference of the API and of the components."""


def messages(catalogue: Catalog) -> Iterator[Message]:
    """The sentences of a catalogue, without its header."""
    return (one for one in catalogue if one.id)


def key(message: Message) -> tuple[str | None, str]:
    """By what a sentence is found."""
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("name", OTHERS)
def test_the_catalogues_hold_what_is_said_and_nothing_else(name: str) -> None:
    """A sentence that was changed in the code has no translation any more. `make locale` brings both together."""
    fresh, kept = {key(one) for one in messages(said())}, {key(one) for one in messages(written(name))}
    assert sorted(map(str, fresh ^ kept)) == [], "run `make locale`, then translate what it lists"


@pytest.mark.parametrize("name", OTHERS)
def test_every_sentence_is_translated(name: str) -> None:
    """A page that is half in one language and half in another is in none. `make locale` lists what is missing."""
    for message in messages(written(name)):
        texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
        assert all(texts), f"no translation of: {message.id}"
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_names_what_the_sentence_names(name: str) -> None:
    """A missing name loses a figure, a new one is a crash."""
    for message in messages(written(name)):
        asked = message.id if isinstance(message.id, str) else message.id[-1]
        for text in message.string if isinstance(message.string, (tuple, list)) else [message.string]:
            assert sorted(re.findall(r"%\(\w+\)s|%%", text or "")) == sorted(re.findall(r"%\(\w+\)s|%%", asked)), asked


@pytest.mark.parametrize("path", [one for one in TEMPLATES if one.name not in IN_ENGLISH], ids=lambda one: one.name)
def test_no_template_says_anything_beside_the_catalogues(path: Path) -> None:
    """Text between tags, in what a screen reader reads, and in the words that a template hands to a component."""
    source = path.read_text(encoding="utf-8")
    # What these blocks hold stands inside of a tag.
    texts = re.sub(r"{% block (about|live) %}.*?{% endblock %}", "", source)
    bare = re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", "", texts, flags=re.DOTALL)
    read = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', bare)
    bare = re.sub(r"<(code|script|pre)\b.*?</\1>", "", bare, flags=re.DOTALL)
    told = re.sub(r"\w+(\.\w+)+|https?://\S*", "", " ".join([re.sub(r"<[^>]*>", " ", bare), *read]))
    words = set(re.findall(r"[A-Za-z]{2,}", told))
    assert words <= NAMES, f"say it with _(): {sorted(words - NAMES)}"
    assert sorted(_spoken_constants(source)) == []


def _spoken_constants(source: str) -> Iterator[str]:
    """Sentences in the code of a template that are not asked of the catalogues."""
    tree = render._environment().parse(source)
    asked = {
        id(one)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in SAYS
        for one in call.find_all(nodes.Const)
    }
    for one in tree.find_all(nodes.Const):
        if (
            isinstance(one.value, str)
            and id(one) not in asked
            and re.fullmatch(r"[A-Z][a-z]+( [a-z].*)?\.?", one.value)
        ):
            yield one.value


def test_every_problem_with_words_is_one_that_is_raised() -> None:
    """Words for a code that is gone are never read."""
    package = Path(render.__file__).parents[2]
    code = " ".join(
        path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "problem_words.py"
    )
    assert [one for one in WORDS if f'"{one}"' not in code] == []
