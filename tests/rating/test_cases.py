"""Every file in `cases/` is a tariff, a session and the price that they must have; add a case without writing Python."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.energy import milliwatt_hours
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.before import read_before
from tallywatt.rating.canonical import read_session, read_text_before, session_text
from tallywatt.rating.policy import read_policy
from tallywatt.rating.rate import RatedSession, rate
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.records import Dimension

FILES = sorted((Path(__file__).parents[1] / "cases").glob("*.json"))
CASES = [path for path in FILES if not path.stem.startswith("cdr_")]
"""Metered sessions; records of partners are in `test_pipeline_cases`."""


def a_session(data: dict[str, Any]) -> MeteredSession:
    """The session of a case: readings as [time, kWh, kW?, A?], activities as [time, activity]."""
    return MeteredSession(
        session_id=SessionId("case"),
        zone=data["zone"],
        started_at=parse_instant(data["started_at"]),
        transaction_ended_at=parse_instant(data["transaction_ended_at"]),
        energy_ended_at=_instant(data.get("energy_ended_at")),
        occupancy_ended_at=_instant(data.get("occupancy_ended_at")),
        readings=tuple(_reading(*one) for one in data.get("readings", ())),
        activities=tuple(ActivityChange(parse_instant(at), Activity(what)) for at, what in data.get("activities", ())),
        clock_is_usable=data.get("clock_is_usable", True),
    )


def _instant(text: str | None) -> Instant | None:
    return None if text is None else parse_instant(text)


def _reading(at: str, kwh: str, kw: int | None = None, amperes: int | None = None) -> Reading:
    return Reading(
        parse_instant(at),
        milliwatt_hours(kwh, "kWh"),
        None if kw is None else kw * 1000,
        None if amperes is None else amperes * 1000,
    )


def _in_units(dimension: str, text: str) -> int:
    """`12.5 kWh`, `90 min` or `1` in the unit of its dimension."""
    match dimension:
        case Dimension.ENERGY:
            return milliwatt_hours(text.removesuffix(" kWh"), "kWh")
        case Dimension.FLAT:
            return int(text)
        case _:
            return int(text.removesuffix(" min")) * 60_000


def _lines(rated: RatedSession) -> list[dict[str, Any]]:
    return [
        {
            "dimension": line.priced.dimension.value,
            "element": line.priced.element_index,
            "quantity": line.quantity,
            "measured": line.measured,
            "amount": rated.exact(line),
            "assumptions": [one.value for one in line.assumptions],
        }
        for line in rated.lines
    ]


def _expected_lines(expected: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "dimension": line["dimension"],
            "element": line["element"],
            "quantity": _in_units(line["dimension"], line["quantity"]),
            "measured": _in_units(line["dimension"], line.get("measured", line["quantity"])),
            "amount": Fraction(line["amount"]),
            "assumptions": line.get("assumptions", []),
        }
        for line in expected["lines"]
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_is_priced_as_it_says(path: Path) -> None:
    """Quantities, exact amounts, and the integers that are stored."""
    case = json.loads(path.read_text())
    expected = case["expected"]
    policy = read_policy(case.get("policy", {}))
    before = read_before(case.get("before", {}))
    rated = rate(a_session(case["session"]), read_tariff(case["tariff"]), policy, before)
    amounts = fix_amounts(rated, policy)

    assert _lines(rated) == _expected_lines(expected)
    for line, wanted in zip(rated.lines, expected["lines"], strict=True):
        assert line.reason == wanted.get("reason", line.reason)
    if "exact" in expected:
        assert rated.exact_total == Fraction(expected["exact"])
    if "before_taxes" in expected:
        assert rated.exact_before_taxes == Fraction(expected["before_taxes"])
        assert rated.exact_after_taxes == Fraction(expected["after_taxes"])
    if "net" in expected:
        assert (str(amounts.net.decimal), str(amounts.total.decimal)) == (expected["net"], expected["gross"])
    if "fixed_lines" in expected:
        minor = [Decimal(text).scaleb(amounts.currency.exponent) for text in expected["fixed_lines"]]
        assert [line.gross_minor for line in amounts.lines] == minor
    if "taxes" in expected:
        taxes = {str(tax.tax_rate.to_integral_value()): tax.tax_minor for tax in amounts.taxes if tax.tax_rate}
        assert taxes == {rate_: int(Decimal(text) * 100) for rate_, text in expected["taxes"].items()}
    if "priced" in expected:
        assert rated.priced_milliwatt_hours == milliwatt_hours(expected["priced"], "kWh")
    assert [one.value for one in rated.warnings] == expected.get("warnings", [])


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_is_priced_the_same_from_what_is_stored(path: Path) -> None:
    """Years later there are only the canonical texts; they must give the same price to the last digit."""
    case = json.loads(path.read_text())
    session, tariff = a_session(case["session"]), read_tariff(case["tariff"])
    policy = read_policy(case.get("policy", {}))
    before = read_before(case.get("before", {}))
    text = session_text(session, before)
    again = rate(read_session(text), read_tariff_text(tariff.canonical), policy, read_text_before(text))

    assert again == rate(session, tariff, policy, before)
    assert read_tariff_text(tariff.canonical).version_id == tariff.version_id


def test_every_case_tells_what_it_is_about_and_where_it_comes_from() -> None:
    """A figure without a source cannot be argued about."""
    assert len(CASES) >= 60
    for path in CASES:
        case = json.loads(path.read_text())
        assert case["about"], path
        assert case["source"], path
