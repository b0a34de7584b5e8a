"""A line of the pipeline: whatever it holds, it is answered."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import parse_instant
from tallywatt.rating.pipeline import exact_text, rate_line

PATH = Path(__file__).parents[1] / "cases" / "cdr_230_energy_and_start.json"
LINE: dict[str, Any] = json.loads(PATH.read_text(), parse_float=Decimal)["line"]
TARIFF = LINE["tariffs"][0]


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"cdr": 5}, "line.missing", "cdr"),
        ({"version": "3.0"}, "line.not_known", "version"),
        ({"version": []}, "line.not_known", "version"),
        ({"time_zone": 7}, "line.not_known", "time_zone"),
        ({"time_zone": "Atlantis/Poseidon"}, "time.unknown_zone", "time_zone"),
        ({"tariffs": {}}, "line.not_an_object", "tariffs"),
        ({"tariffs": [5]}, "line.not_an_object", "tariffs"),
        ({"tariffs": []}, "cdr.no_tariff", "tariffs"),
        ({"tariffs": [TARIFF | {"currency": "XXX"}]}, "money.unknown_currency", "tariffs[0].currency"),
        ({"tariffs": [TARIFF | {"start_date_time": "soon"}]}, "tariff.not_a_time", "tariffs[0].start_date_time"),
        ({"cdr": LINE["cdr"] | {"charging_periods": []}}, "cdr.missing", "cdr.charging_periods"),
        ({"policy": 5}, "policy.not_known", "policy"),
        ({"policy": {"step_size": "sometimes"}}, "policy.not_known", "policy.step_size"),
        ({"policy": {"mood": "good"}}, "policy.not_known", "policy.mood"),
        ({"policy": {"fix_amounts": "yes"}}, "policy.not_known", "policy.fix_amounts"),
        ({"policy": {"tax_name": " "}}, "policy.not_known", "policy.tax_name"),
        ({"policy": {"tolerance": "x"}}, "policy.not_a_number", "policy.tolerance"),
        ({"policy": {"taxes": [5]}}, "policy.not_known", "policy.taxes"),
        ({"policy": {"taxes": [{"name": "a"}]}}, "policy.not_a_number", "policy.taxes[0].percentage"),
        ({"policy": {"taxes": [{"name": "a", "percentage": 101}]}}, "policy.not_known", "policy.taxes[0].percentage"),
        ({"policy": {"taxes": [{"percentage": 1}]}}, "policy.not_known", "policy.taxes[0].name"),
    ],
)
def test_a_line_that_cannot_be_priced_says_where(more: dict[str, Any], code: str, path: str) -> None:
    """Its id comes back, so that it can be found among a million."""
    answer = rate_line(LINE | {"id": 5} | more)
    assert (answer["id"], answer["error"]["code"], answer["error"]["path"]) == (5, code, path)
    place, _, said = answer["error"]["message"].partition(": ")
    assert place == path
    assert said
    assert not said.startswith(path.rpartition(".")[2] + ":")


def test_what_is_no_object_has_no_place_to_name() -> None:
    """A sentence that begins with a colon looks as if something were missing."""
    assert rate_line([])["error"]["message"] == "a line must be a JSON object with a cdr"


def test_two_tariffs_with_and_without_tax_are_not_mixed() -> None:
    """A sum of both would be neither."""
    cdr = LINE["cdr"]
    periods = [cdr["charging_periods"][0] | {"tariff_id": name} for name in ("T1", "T2")]
    other = TARIFF | {"id": "T2", "tax_included": "YES"}
    answer = rate_line(LINE | {"cdr": cdr | {"charging_periods": periods}, "tariffs": [TARIFF, other]})
    assert answer["error"]["code"] == "cdr.tax_bases_differ"


def test_what_is_not_read_of_a_line_is_told() -> None:
    """Also beside the record."""
    answer = rate_line(LINE | {"timezone": "Europe/Berlin", "cdr": LINE["cdr"] | {"mood": "good"}})
    assert [(one["code"], one["path"]) for one in answer["warnings"]] == [
        ("line.unknown_key", "timezone"),
        ("cdr.unknown_key", "cdr.mood"),
    ]
    assert rate_line(LINE | {"version": "2.3.0"})["warnings"] == []


def test_the_same_tariff_inside_and_beside_is_no_difference() -> None:
    """Most records carry what was pushed before; only another price is worth a word."""
    inside = LINE["cdr"] | {"tariffs": [TARIFF | {"last_updated": "2020-01-01T00:00:00Z"}]}
    assert rate_line(LINE | {"cdr": inside})["warnings"] == []


def test_a_tax_may_have_another_name() -> None:
    """MwSt, TVA, IVA: the receipt of the place."""
    answer = rate_line(LINE | {"policy": {"tax_name": "TVA", "taxes": [{"name": "x", "percentage": 1}]}})
    assert {one["name"] for one in answer["taxes"]} == {"TVA"}


def test_taxes_of_nothing_are_nothing() -> None:
    """A zero rate of the place is listed, and comes to nothing."""
    tariff = TARIFF | {"elements": [{"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]}]}
    answer = rate_line(LINE | {"tariffs": [tariff], "policy": {"taxes": [{"name": "none", "percentage": 0}]}})
    assert [(one["name"], one["amount"]) for one in answer["taxes"]] == [("none", "0")]


def test_a_total_after_tax_that_differs_is_told() -> None:
    """Right before tax and wrong after it is still a wrong bill."""
    stated = {"before_taxes": 5.5, "taxes": [{"name": "VAT", "amount": 1}]}
    answer = rate_line(LINE | {"cdr": LINE["cdr"] | {"total_cost": stated}})
    assert [one["code"] for one in answer["warnings"]] == ["cdr.total_cost_differs"]


def test_an_amount_is_exact_where_a_decimal_can_be() -> None:
    """A third is not; it has eighteen places."""
    assert exact_text(Fraction(1, 8)) == "0.125"
    assert exact_text(Fraction(2, 3)) == "0.666666666666666667"
    assert exact_text(Fraction(-1, 3)) == "-0.333333333333333333"
    assert exact_text(Fraction(0)) == "0"


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.decimals(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a line."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in _places(value, (*path, key)))]


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    key, *rest = path
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[key] = _with(data[key], tuple(rest), value)
    return copy


@given(path=st.sampled_from(_places(LINE)), value=_JSON)
def test_whatever_stands_in_a_line_it_is_answered(path: tuple[Any, ...], value: Any) -> None:
    """The run of a million goes on: any value at any place gives a price or an error, never an end."""
    answer = rate_line(_with(LINE, path, value))
    assert ("error" in answer) != ("total_cost" in answer)


def test_a_line_in_which_two_things_are_wrong_is_answered() -> None:
    """Whoever sends no currency may send no tariffs either."""
    cdr = {key: value for key, value in LINE["cdr"].items() if key != "currency"}
    assert rate_line(LINE | {"cdr": cdr, "tariffs": True})["error"]["code"] == "cdr.missing"
    assert rate_line(LINE | {"cdr": cdr, "tariffs": [True, {}]})["error"]["code"] == "cdr.missing"


def test_times_are_told_in_utc() -> None:
    """Lines say from when to when."""
    line = rate_line(LINE)["lines"][0]
    assert parse_instant(line["start_date_time"]) == parse_instant(LINE["cdr"]["start_date_time"])
    assert (line["quantity"], line["unit"], line["unit_price"], line["element"]) == ("20", "kWh", "0.25", 0)
