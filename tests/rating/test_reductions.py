"""Caps and discounts: never exceeded, never below zero, whatever the session, the tariff and what was paid before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.rating import explain
from tallywatt.rating.amounts import fix_amounts
from tallywatt.rating.before import NOTHING, Before, Billed, Paid, concerns, counts_to, day_of, gather
from tallywatt.rating.canonical import read_session, read_text_before, session_text
from tallywatt.rating.fields import Version
from tallywatt.rating.lint import lint
from tallywatt.rating.live import LiveRating
from tallywatt.rating.offer import price_shown, shown_data
from tallywatt.rating.plan import plan_of
from tallywatt.rating.policy import STANDARD, Interpolation, MinimumPrice, Policy
from tallywatt.rating.rate import RatedSession, Reason, rate
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tariff import Tariff, to_data
from tallywatt.rating.typical import TYPICAL, simulate
from tallywatt.rating.write import write_tariff
from tests.rating.examples import (
    AN_INSTANT,
    HOUR,
    LONDON,
    a_session,
    a_tariff,
    an_element,
    reduced_tariffs,
    sessions,
)

if TYPE_CHECKING:
    from tallywatt.metering.metered import MeteredSession

PER_KWH = an_element(("ENERGY", "0.50", 20))
OVERNIGHT = a_session((14 * HOUR, 1_000_000), (24 * HOUR, 11_000_000), ended=24 * HOUR)
DAILY = {"per": "day", "after_taxes": "4"}
REDUCING = {Reason.CAP, Reason.DISCOUNT, Reason.COUPON}
POLICIES = st.sampled_from([STANDARD, Policy(minimum_price=MinimumPrice.GIVES_WAY)])


def paid_before(session: MeteredSession, amounts: list[int]) -> Before:
    """Something paid on each of the days of a session."""
    first = day_of(session.started_at, session.zone)
    return Before(5_000_000, tuple(Paid(first + n, frozenset(), one, one) for n, one in enumerate(amounts)))


def charged(rated: RatedSession, dimensions: frozenset[str], day: int | None) -> Fraction:
    """What is charged for some dimensions, on a day if one is named, tax included; other caps may have taken of it."""
    total = Fraction(0)
    for line in rated.lines:
        of = concerns(line.reason, line.priced.dimension, line.priced.reason)
        if (counts_to(of, dimensions) or (line.reason is Reason.CAP and of & dimensions)) and day in (None, line.day):
            total += _gross(rated, line)
    return total


def _gross(rated: RatedSession, line: Any) -> Fraction:
    rate_ = Fraction(*line.priced.tax) if line.priced.tax else Fraction(0)
    return rated.exact(line) * (1 if rated.tax_basis == "gross" else 1 + rate_)


@given(session=sessions(), tariff=reduced_tariffs(), paid=st.lists(st.integers(0, 3000), max_size=3), policy=POLICIES)
def test_no_cap_is_ever_exceeded_and_nothing_falls_below_zero(
    session: MeteredSession, tariff: Tariff, paid: list[int], policy: Policy
) -> None:
    """Of a session and of a day, with what was paid before; the integers add up as ever, and the most holds."""
    before = paid_before(session, paid)
    rated = rate(session, tariff, policy, before)
    scale = 10**tariff.currency.exponent
    for cap in tariff.caps:
        most = cap.limit.after_taxes
        for day in {line.day for line in rated.lines} if cap.per == "day" else (None,):
            had = sum(one.gross_minor for one in before.paid if one.day == day and not cap.dimensions)
            left = max(Fraction(most or 0) - Fraction(had, scale), Fraction(0))
            assert charged(rated, cap.dimensions, day) <= left
    limits = plan_of(tariff).limits
    assert limits is None or limits.most_after is None or rated.exact_after_taxes <= limits.most_after
    assert rated.exact_after_taxes >= 0
    assert rated.exact_before_taxes >= 0
    raised = {line.priced.tax for line in rated.lines if line.numerator < 0 and line.reason not in REDUCING}
    off = [line for line in rated.lines if line.reason in REDUCING]
    assert all(line.numerator < 0 or (line.reason is Reason.CAP and line.priced.tax in raised) for line in off)
    amounts = fix_amounts(rated, policy)
    assert sum(line.gross_minor for line in amounts.lines) == amounts.gross_minor
    assert sum(tax.tax_minor for tax in amounts.taxes) == amounts.tax_minor


def off(rated: RatedSession) -> list[tuple[float, float]]:
    """What caps take, with the tax rate, in percent; none: 0."""
    caps = [line for line in rated.lines if line.reason is Reason.CAP]
    return [(float(line.priced.tax_rate or 0), float(rated.exact(line))) for line in caps]


def test_a_cap_brings_no_total_below_zero_where_limits_contradict_the_taxes() -> None:
    """A least of one cent after tax and a most of nothing before it are a tax of 100 %, and less than nothing untaxed."""
    tariff = a_tariff(
        an_element(("ENERGY", "0", None)),
        min_price={"after_taxes": "0.01"},
        max_price={"before_taxes": 0},
        caps=[{"per": "session", "after_taxes": 0}],
    )
    rated = rate(a_session((HOUR, 1_000)), tariff)
    assert (float(rated.exact_before_taxes), float(rated.exact_after_taxes)) == (0, 0)
    assert off(rated) == [(0, 0.01), (100, -0.02)]


def test_a_cap_whose_bounds_contradict_the_tax_keeps_both_and_moves_nothing() -> None:
    """Five before and five after tax: five are paid, tax included, and no line of a cap adds anything."""
    caps = [{"per": "session", "before_taxes": "5", "after_taxes": "5"}]
    rated = rate(a_session((HOUR, 20_000_000)), a_tariff(PER_KWH, caps=caps))
    assert (rated.exact_before_taxes, rated.exact_after_taxes) == (Fraction(25, 6), Fraction(5))
    assert off(rated) == [(20, -5)]


def test_a_cap_leaves_a_credit_of_another_tax_rate_alone() -> None:
    """Ten are charged and four given back: a cap of five takes one off the ten."""
    tariff = a_tariff(
        an_element(("ENERGY", "1.00", 20), ("FLAT", "-4", 0)), caps=[{"per": "session", "after_taxes": "5"}]
    )
    rated = rate(a_session((HOUR, 10_000_000)), tariff)
    assert rated.exact_after_taxes == 5
    assert off(rated) == [(20, -1)]


def test_caps_that_share_a_dimension_take_what_is_of_it_once() -> None:
    """Free of time and idling by the first cap; the second has nothing left of idling, and the energy is still paid."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.50", 20), ("PARKING_TIME", "7", 20), ("FLAT", "1", 20)),
        caps=[
            {"per": "session", "after_taxes": "0", "dimensions": ["TIME", "PARKING_TIME"]},
            {"per": "session", "after_taxes": "0.40", "dimensions": ["PARKING_TIME", "FLAT"]},
        ],
    )
    session = a_session((HOUR, 10_000_000), left=2 * HOUR)
    rated = rate(session, tariff)
    assert off(rated) == [(20, -7), (20, -0.6)]
    assert float(rated.exact_after_taxes) == 5.4


@pytest.mark.parametrize("discounts", [[], [{"id": "A", "percent": "10"}]])
def test_a_cap_of_the_session_and_one_of_its_days_do_not_add_up(discounts: list[dict[str, Any]]) -> None:
    """Over midnight: what the cap of the session takes is not taken of the second day again, in whatever order they stand."""
    session = a_session((HOUR, 40_000_000), (24 * HOUR, 80_000_000), ended=24 * HOUR)
    whole, daily = {"per": "session", "after_taxes": "5"}, {"per": "day", "after_taxes": "4"}
    prices = [
        rate(session, a_tariff(PER_KWH, caps=caps, discounts=discounts)).exact_after_taxes
        for caps in ([whole, daily], [daily, whole])
    ]
    assert prices == [Fraction("4.5" if discounts else "5")] * 2


@pytest.mark.parametrize(
    "more",
    [
        {"max_price": {"after_taxes": "5"}},
        {"caps": [{"per": "session", "after_taxes": "5", "dimensions": ["ENERGY"]}]},
    ],
    ids=["limit", "cap of a dimension"],
)
def test_what_is_taken_of_the_whole_is_taken_of_each_of_its_days(more: dict[str, Any]) -> None:
    """Eleven over midnight, ten of it on the second day: a day's cap that sees all of the ten takes the same twice."""
    tariff = a_tariff(an_element(("ENERGY", "1", None)), **{**more, "caps": [*more.get("caps", []), DAILY]})
    rated = rate(OVERNIGHT, tariff)
    days = {line.day: sum(rated.exact(one) for one in rated.lines if one.day == line.day) for line in rated.lines}
    assert all(0 <= charged <= 4 for charged in days.values())
    assert rated.exact_after_taxes == sum(days.values()) > 4


@given(session=sessions(), tariff=reduced_tariffs())
def test_the_least_holds_where_no_cap_stands_against_it(session: MeteredSession, tariff: Tariff) -> None:
    """Discounts do not go below it, unless the policy lets them."""
    without = replace(tariff, caps=())
    rated, limits = rate(session, without), plan_of(without).limits
    if limits is None or limits.least_after is None:
        return
    after, before = rated.exact_after_taxes, rated.exact_before_taxes
    assert after >= limits.least_after or limits.most_after == after or limits.most_before == before


@given(session=sessions(), tariff=reduced_tariffs(st.just(0)), at=st.integers(0, 10 * HOUR))
def test_a_reading_more_changes_no_price(session: MeteredSession, tariff: Tariff, at: int) -> None:
    """Periods are cut at any place: caps by day, tiers and discounts come out the same."""
    knots = [(session.started_at, 0), *((one.at, one.milliwatt_hours) for one in session.readings)]
    moment = Instant(min(session.started_at + at, session.transaction_ended_at))
    last = [one for one in knots if one[0] <= moment][-1]
    behind = [one for one in knots if one[0] > moment]
    if behind and behind[0][1] != last[1]:
        return  # between two readings the energy there is not known but worked out; the next ones are
    reading = replace(session.readings[0], at=moment, milliwatt_hours=last[1]) if session.readings else None
    if reading is None or session.activities or session.energy_ended_at is not None:
        return
    more = replace(session, readings=tuple(sorted((*session.readings, reading), key=lambda one: one.at)))
    first, second = rate(session, tariff), rate(more, tariff)
    assert (first.exact_before_taxes, first.exact_after_taxes) == (second.exact_before_taxes, second.exact_after_taxes)


@given(session=sessions(), tariff=reduced_tariffs(), paid=st.lists(st.integers(0, 3000), max_size=2))
def test_what_is_stored_gives_the_same_price(session: MeteredSession, tariff: Tariff, paid: list[int]) -> None:
    """Years later, whatever was billed since: what was known then is in the text."""
    granted = read_tariff(to_data(tariff) | {"discounts": [{"id": "x", "percent": "5"}]}).discounts
    before = replace(paid_before(session, paid), granted=(replace(granted[0], is_coupon=True),))
    text = session_text(session, before)
    again = rate(read_session(text), read_tariff_text(tariff.canonical), STANDARD, read_text_before(text))
    assert again == rate(session, tariff, STANDARD, before)
    assert read_text_before(session_text(session)) == NOTHING


@given(session=sessions(), tariff=reduced_tariffs(), paid=st.lists(st.integers(0, 3000), max_size=2))
def test_a_running_session_ends_at_the_same_price(session: MeteredSession, tariff: Tariff, paid: list[int]) -> None:
    """What is shown while it runs knows caps, tiers and discounts, and what the customer had before."""
    before = paid_before(session, paid)
    live = LiveRating(replace(session, readings=(), activities=()), tariff, STANDARD, before)
    for reading in session.readings:
        live.hear([reading])
        live.so_far()
    live.hear((), session.activities)
    final, wanted = live.ended(session), rate(session, tariff, STANDARD, before)
    assert (final.exact_before_taxes, final.exact_after_taxes) == (wanted.exact_before_taxes, wanted.exact_after_taxes)


def test_the_form_of_a_text_says_that_something_was_known_before() -> None:
    """An engine that does not know of it must not price such a session without it."""
    session = a_session((HOUR, 1_000_000))
    assert '"form":1' in session_text(session)
    assert '"form":3' in session_text(session, Before(1))


def test_a_customer_never_pays_more_than_the_cap_of_a_day_in_whatever_order_sessions_are_billed() -> None:
    """Each is billed with what was billed before it; a late one takes what is left of its own day."""
    tariff = a_tariff(PER_KWH, caps=[{"per": "day", "after_taxes": "8.00"}])
    early, late = a_session((HOUR, 10_000_000)), a_session((HOUR, 12_000_000))
    for order in ((early, late), (late, early)):
        billed: list[Billed] = []
        for one in order:
            before = gather(billed, one.started_at, one.zone)
            rated, amounts = price(one, tariff, STANDARD, before)
            rows = rated_rows("r", one, rated, amounts, created_at=one.ended_at, zone_data_version="")  # type: ignore[arg-type]  # an id
            billed.append(Billed(one.started_at, one.zone, rows.result.milliwatt_hours, rows.lines))
        assert sum(line.gross_minor for one in billed for line in one.lines) == 800
    assert gather(billed, early.started_at, LONDON).month_milliwatt_hours == 22_000_000
    next_month = Instant(AN_INSTANT + 30 * 24 * HOUR)
    assert gather(billed, next_month, LONDON) == NOTHING


def test_only_measured_energy_belongs_to_the_day_on_which_its_interval_began() -> None:
    """Between two readings over midnight nothing is split where only measured values may be billed."""
    tariff = a_tariff(PER_KWH, caps=[{"per": "day", "after_taxes": "8.00"}])
    session = a_session((HOUR, 2_000_000), (24 * HOUR, 30_000_000), ended=24 * HOUR)
    rated = rate(session, tariff, Policy(interpolation=Interpolation.MEASURED_ONLY))
    assert [float(rated.exact(line)) for line in rated.lines] == [15, -7]


def test_what_is_shown_before_the_start_tells_caps_and_discounts_of_today() -> None:
    """From the tariff that rates; a discount that is over is not shown, and one by a coupon is."""
    tiers = an_element(("ENERGY", "0.50", 20), max_month_kwh=100)
    tariff = a_tariff(
        tiers,
        an_element(("ENERGY", "0.30", 20)),
        caps=[{"per": "day", "after_taxes": "20", "dimensions": ["ENERGY"]}],
        discounts=[{"id": "A", "percent": "10", "end_date": "2026-01-01"}, {"id": "B", "before_taxes": "1.5"}],
    )
    granted = replace(tariff.discounts[1], name="C", is_coupon=True)
    shown = price_shown(tariff, AN_INSTANT, LONDON, Before(150_000_000, (), (granted,)))
    data = shown_data(shown)
    assert [line.element_index for line in shown.now] == [1]
    assert data["caps"] == [{"per": "day", "after_taxes": "20", "dimensions": ["ENERGY"]}]
    assert [one["id"] for one in data["discounts"]] == ["B", "C"]
    assert explain.cap_words(data["caps"][0], "EUR") == "at most €20.00 for all sessions of a day, for energy"
    assert explain.discount_words(data["discounts"][0], "EUR") == "€1.50 (before tax) off (B)"
    assert explain.discount_words({"percent": "20"}, "EUR") == "20 % off", "where its code stands beside it"
    assert explain.shown_sentence(shown.lines[0], "EUR", "de") == "0,50\xa0€ pro kWh, bis 100 kWh im Kalendermonat"


def test_each_line_that_takes_something_off_says_why() -> None:
    """With the day, the amount and the name."""
    tariff = a_tariff(
        PER_KWH,
        caps=[{"per": "day", "after_taxes": "4"}, {"per": "session", "before_taxes": "100", "after_taxes": "9"}],
        discounts=[{"id": "AUTUMN", "percent": "12.5", "dimensions": ["ENERGY"], "end_date": "2026-12-01"}],
    )
    session = a_session((HOUR, 10_000_000))
    granted = replace(a_tariff(PER_KWH, discounts=[{"id": "WELCOME", "after_taxes": "1"}]).discounts[0], is_coupon=True)
    rated, amounts = price(session, tariff, STANDARD, Before(granted=(granted,)))
    rows = rated_rows("r", session, rated, amounts, created_at=session.ended_at, zone_data_version="")  # type: ignore[arg-type]  # an id
    assert [explain.sentence(line, LONDON) for line in rows.lines[1:]] == [
        "Taken off: at most €4.00 for all sessions of 24 Nov 2026",
        "Taken off: 12.5 % off (AUTUMN), for energy, before 1 Dec 2026",
        "Taken off by your coupon: €1.00 off (WELCOME)",
    ]


CAP: dict[str, Any] = {"per": "session", "after_taxes": "5"}
OFF: dict[str, Any] = {"id": "A", "percent": "5"}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"caps": {}}, "caps"),
        ({"caps": [CAP] * 21}, "caps"),
        ({"caps": ["no"]}, "caps[0]"),
        ({"caps": [{**CAP, "per": "week"}]}, "caps[0].per"),
        ({"caps": [{"per": "day"}]}, "caps[0]"),
        ({"caps": [{**CAP, "after_taxes": "-1"}]}, "caps[0].after_taxes"),
        ({"caps": [{**CAP, "dimensions": ["WATER"]}]}, "caps[0].dimensions"),
        ({"discounts": [{"percent": "5"}]}, "discounts[0].id"),
        ({"discounts": [{"id": "A"}]}, "discounts[0]"),
        ({"discounts": [{**OFF, "after_taxes": "5"}]}, "discounts[0]"),
        ({"discounts": [{"id": "A", "after_taxes": "5", "before_taxes": "4"}]}, "discounts[0]"),
        ({"discounts": [{**OFF, "percent": "101"}]}, "discounts[0].percent"),
        ({"discounts": [{**OFF, "end_date": "soon"}]}, "discounts[0].end_date"),
        ({"discounts": [{**OFF, "coupon": 1}]}, "discounts[0].coupon"),
        ({"discounts": [{**OFF, "coupon": True}]}, "discounts[0].coupon"),
        ({"discounts": [OFF, OFF]}, "discounts[1].id"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(more: dict[str, Any], path: str) -> None:
    """A misread cap is money."""
    with pytest.raises(BadInput, match=f"^{re.escape(path)}:"):
        a_tariff(PER_KWH, **more)


def test_unknown_keys_are_told_and_the_rest_is_read_again() -> None:
    """Written and read again it is the same version."""
    tariff = a_tariff(PER_KWH, caps=[{**CAP, "when": 1}], discounts=[{**OFF, "start_date": "2026-01-01", "who": 1}])
    assert tariff.unread == ("caps[0].when", "discounts[0].who")
    assert read_tariff_text(tariff.canonical) == tariff
    assert not tariff.asks_before
    assert a_tariff(PER_KWH, caps=[{"per": "day", "before_taxes": "5"}]).asks_before


def test_what_ocpi_cannot_say_is_told() -> None:
    """A cap of whole sessions is OCPI's maximum; later tiers are left out: without a bound they would apply always."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.50", 20), max_month_kwh=100),
        an_element(("ENERGY", "0.30", 20), min_month_kwh=100),
        caps=[CAP, {**CAP, "per": "day"}],
        discounts=[OFF],
    )
    written = write_tariff(tariff, Version.OCPI_2_3_0)
    assert written.data["max_price"] == {"after_taxes": 5}
    assert len(written.data["elements"]) == 1
    assert "restrictions" not in written.data["elements"][0]
    assert {"caps[1]", "discounts[0]", "elements[0].restrictions.max_month_kwh"} <= set(written.lost)
    assert "elements[1].restrictions.min_month_kwh" in written.lost
    two = a_tariff(PER_KWH, caps=[CAP, CAP], max_price={"after_taxes": "9"})
    assert {"caps[0]", "caps[1]"} <= set(write_tariff(two, Version.OCPI_2_3_0).lost)
    assert "caps[0]" in write_tariff(a_tariff(PER_KWH, caps=[CAP]), Version.OCPI_2_1_1).lost


LOOKS_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"caps": [CAP], "max_price": {"after_taxes": "4"}}, "lint.cap_never_reached"),
    ({"caps": [CAP], "min_price": {"after_taxes": "6"}}, "lint.cap_below_minimum"),
    ({"caps": [{**CAP, "dimensions": ["FLAT"]}]}, "lint.nothing_to_take_off"),
    ({"discounts": [{**OFF, "dimensions": ["FLAT"]}]}, "lint.nothing_to_take_off"),
    ({"discounts": [{**OFF, "start_date": "2026-02-01", "end_date": "2026-02-01"}]}, "lint.never_applies"),
    ({"discounts": [{**OFF, "end_date": "2026-01-01"}]}, "lint.over"),
    ({"discounts": [{"id": "A", "percent": "100"}]}, "lint.all_is_free"),
    ({"cap": [CAP]}, "lint.misspelt_key"),
]


@pytest.mark.parametrize(("more", "code"), LOOKS_WRONG)
def test_what_looks_wrong_is_found(more: dict[str, Any], code: str) -> None:
    """Before it holds anywhere."""
    data = to_data(a_tariff(PER_KWH)) | more
    found = lint(data, today=date.fromisoformat("2026-11-24"), stored=True)
    assert [one.code for one in found] == [code]
    assert found[0].path


def test_a_good_one_has_no_findings() -> None:
    """What is meant is not complained of; tiers that follow each other leave no gap."""
    data = to_data(
        a_tariff(
            an_element(("ENERGY", "0.50", 20), max_month_kwh=100),
            an_element(("ENERGY", "0.30", 20), min_month_kwh=100),
            caps=[{**CAP, "dimensions": ["ENERGY"]}, {"per": "day", "after_taxes": 9}],
            discounts=[{**OFF, "dimensions": ["ENERGY"], "end_date": "2027-01-01"}],
            max_price={"after_taxes": "20"},
        )
    )
    assert lint(data, today=date.fromisoformat("2026-11-24"), stored=True) == ()
    holed = data | {"elements": data["elements"][:1]}
    assert [one.code for one in lint(holed, stored=True)] == ["lint.gap"]


def test_typical_sessions_are_priced_for_somebody_who_had_something_before() -> None:
    """Whoever has paid the day's most pays nothing more."""
    tariff = a_tariff(PER_KWH, caps=[{"per": "day", "after_taxes": "8"}])
    on = date.fromisoformat("2026-11-24")
    day = day_of(AN_INSTANT, LONDON)
    before = Before(paid=(Paid(day, frozenset(), 700, 800),))
    [fresh] = simulate(tariff, STANDARD, LONDON, on, TYPICAL[:1])
    [capped] = simulate(tariff, STANDARD, LONDON, on, TYPICAL[:1], before)
    assert (fresh.rows.result.gross_minor, capped.rows.result.gross_minor) == (400, 0)
