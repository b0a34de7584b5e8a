"""What leads to a person is found in whatever form it stands, and nothing else is touched."""

from __future__ import annotations

import json

import pytest

from tallywatt.customers.erasure import GONE, Traces, traces_of

TRACES = traces_of(
    (("04Ab99EE77", "erased-1"), ("12", "erased-2")), ["Zoë Müller"], "zoe@example.org", "7 Mews\nDundee", "C-1"
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"idTag":"04AB99ee77"}', '{"idTag":"erased-1"}'),
        ("card 04ab99ee77, twice 04AB99EE77", "card erased-1, twice erased-1"),
        ('{"idTag":"12","meterStart":12}', '{"idTag":"erased-2","meterStart":12}'),
        ("12", "erased-2"),
        ("ZOË MÜLLER was here", f"{GONE} was here"),
        (json.dumps({"name": "Zoë Müller"}), json.dumps({"name": GONE})),
        (json.dumps({"address": "7 Mews\nDundee"}), json.dumps({"address": GONE})),
        ("from zoe@example.org", f"from {GONE}"),
    ],
)
def test_every_form_is_found(text: str, clean: str) -> None:
    """Stations shout, JSON escapes, people write."""
    assert TRACES.is_in(text)
    assert TRACES.removed_from(text) == clean
    assert not TRACES.is_in(clean)
    assert any(needle in text.lower() for needle in TRACES.needles), "the database must see it too"


@pytest.mark.parametrize("text", ["004Ab99EE778", '{"meterStart":12,"n":"112"}', "Zoë", "C-1", "1212"])
def test_nothing_else_is_touched(text: str) -> None:
    """A number inside another one is another one."""
    assert TRACES.removed_from(text) == text


def test_what_is_searched_for_survives_its_seal() -> None:
    """A worker may do it an hour later."""
    assert Traces.of_text(TRACES.as_text()) == TRACES


def test_a_customer_without_a_name_is_nobody_to_search_for() -> None:
    """An empty word would be found everywhere."""
    empty = traces_of((), [""], None, None, "C-1")

    assert empty.words == ()
    assert not empty.is_in("anything")
    assert empty.needles == ()
