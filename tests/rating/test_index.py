"""Tests of prices that follow a market: cut at its slots, frozen at the offer, and told in the lines."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import RatedId
from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.explain import sentence
from tallywatt.rating.fields import BadField, Version
from tallywatt.rating.freeze import Wanted, follows_market, freeze, indexes
from tallywatt.rating.live import LiveRating
from tallywatt.rating.offer import price_shown
from tallywatt.rating.outlook import outlook
from tallywatt.rating.policy import STANDARD
from tallywatt.rating.rate import Doubt, rate
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tariff import Tariff, to_data
from tallywatt.rating.write import write_tariff
from tests.rating.examples import AN_INSTANT, HOUR, MINUTE, a_session, a_tariff, an_element, sessions

QUARTER = 15 * MINUTE


def following(**index: Any) -> Tariff:
    """A tariff of one price that follows a market; without one it is 0.45."""
    component = {"type": "ENERGY", "price": "0.45", "vat": "19", "index": {"market": "DE-LU", **index}}
    return read_tariff(
        {"id": "I1", "currency": "EUR", "tax_included": "YES", "elements": [{"price_components": [component]}]}
    )


def frozen(tariff: Tariff, *prices: str | None, since: int = AN_INSTANT) -> Tariff:
    """The tariff with prices of the slots from then on; None: the market told none."""
    (_, index), *_ = indexes(tariff)
    told = [
        (Instant(since + place * index.milliseconds), Decimal(one))
        for place, one in enumerate(prices)
        if one is not None
    ]
    return freeze(tariff, Instant(since), lambda _wanted, _since, _until: told)


def amounts(session: MeteredSession, tariff: Tariff) -> list[float]:
    """What each line comes to."""
    rated = rate(session, tariff)
    return [float(rated.exact(line)) for line in rated.lines]


TWO_HOURS = a_session((HOUR, 10_000_000), (2 * HOUR, 20_000_000), ended=2 * HOUR)


def test_each_slot_has_its_own_price_and_its_own_line() -> None:
    """10 kWh at the market's 0.08 + 0.12, and 10 at 0.20 + 0.12."""
    tariff = frozen(following(markup="0.12"), "0.08", "0.20")
    rated = rate(TWO_HOURS, tariff)
    assert amounts(TWO_HOURS, tariff) == [2.0, 3.2]
    assert [line.priced.reason["index"]["market_price"] for line in rated.lines] == ["0.08", "0.2"]
    assert rated.warnings == ()


def test_factor_markup_floor_cap_and_rounding_make_the_price() -> None:
    """Floor and cap bound what the driver pays, after factor and markup; what is shown is what is charged."""
    tariff = following(factor="1.1", markup="0.10005", floor="0.15", cap="0.50")
    (_, index), *_ = indexes(tariff)
    told = {"0.10": "0.2101", "-0.30": "0.1500", "0.90": "0.5000"}
    assert {at: str(index.price(Decimal(at))) for at in told} == told


def test_quarter_hours_are_cut_where_they_begin() -> None:
    """A session from ten to eleven has four slots of fifteen minutes; each has a quarter of the energy."""
    tariff = frozen(following(minutes=15), "0.1", "0.2", "0.3", "0.4")
    session = a_session((HOUR, 8_000_000))
    assert amounts(session, tariff) == [0.2, 0.4, 0.6, 0.8]
    assert [line.end - line.start for line in rate(session, tariff).lines] == [QUARTER] * 4


def test_a_slot_without_a_price_falls_back_on_the_tariffs_own() -> None:
    """Nobody charges at a price that was not known: 0.45 was agreed for that, and the bill says so."""
    tariff = frozen(following(), "0.10", None)
    rated = rate(TWO_HOURS, tariff)
    assert amounts(TWO_HOURS, tariff) == [1.0, 4.5]
    assert rated.warnings == (Doubt.MARKET_PRICE_MISSING,)


def test_the_last_known_price_may_go_on_instead() -> None:
    """In a gap and behind the end; before the first one there is no last."""
    tariff = frozen(following(missing="last_known"), "0.10", None, "0.30", None)
    session = a_session((4 * HOUR, 40_000_000), ended=4 * HOUR)
    assert amounts(session, tariff) == [1.0, 1.0, 3.0, 3.0]
    assert rate(session, tariff).warnings == (Doubt.MARKET_PRICE_MISSING,)
    nothing = frozen(following(missing="last_known"))
    assert amounts(TWO_HOURS, nothing) == [9.0]


def test_a_tariff_may_ask_that_a_person_looks_at_it_first() -> None:
    """The price stands ready and is not billed by itself."""
    rated = rate(TWO_HOURS, frozen(following(missing="hold"), "0.10"))
    assert rated.warnings == (Doubt.MARKET_PRICE_AWAITED,)
    assert rate(a_session((HOUR, 1)), frozen(following(missing="hold"), "0.10")).warnings == ()


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-24", 24)])
@pytest.mark.parametrize("minutes", [15, 60])
def test_days_of_summer_time_have_as_many_slots_as_they_have_hours(day: str, hours: int, minutes: int) -> None:
    """23 or 25 hours, 92 or 100 quarters: slots are moments of the market's clock, so none is lost and none counts twice."""
    begin = parse_instant(f"{day}T00:00:00{'+02:00' if day == '2026-10-25' else '+01:00'}")
    number = hours * 60 // minutes
    tariff = frozen(
        following(minutes=minutes, places=6), *(f"0.{place:03}" for place in range(1, number + 1)), since=begin
    )
    end = begin + hours * HOUR
    session = replace(
        a_session((hours * HOUR, number * 1_000_000), ended=hours * HOUR, zone="Europe/Berlin"),
        started_at=Instant(begin),
        transaction_ended_at=Instant(end),
    )
    session = replace(session, readings=(replace(session.readings[0], at=Instant(end)),))
    rated = rate(session, tariff)
    assert len(rated.lines) == number
    assert rated.exact_total == Decimal(number * (number + 1)) / 2000
    assert rated.warnings == ()


def test_what_is_told_later_changes_nothing_of_what_was_frozen() -> None:
    """A price that is corrected tomorrow, or in five years, is not the one that was offered."""
    tariff = following()
    offered = frozen(tariff, "0.10", "0.20")
    again = read_tariff_text(offered.canonical)
    assert again == offered
    assert not follows_market(again)
    assert freeze(again, AN_INSTANT, lambda *_: [(AN_INSTANT, Decimal(9))]) == offered
    assert rate(TWO_HOURS, again) == rate(TWO_HOURS, offered)
    assert offered.version_id != tariff.version_id


def test_it_asks_for_the_slot_of_the_offer_and_for_its_currency() -> None:
    """A session that starts at ten past begins in the slot that began at ten o'clock."""
    asked: list[tuple[Wanted, Instant, Instant]] = []

    def prices_of(wanted: Wanted, since: Instant, until: Instant) -> list[tuple[Instant, Decimal]]:
        asked.append((wanted, since, until))
        return []

    freeze(following(minutes=15), Instant(AN_INSTANT + 20 * MINUTE), prices_of)
    (wanted, since, until) = asked[0]
    assert wanted == Wanted("DE-LU", 15, "EUR")
    assert since == AN_INSTANT + QUARTER
    assert until > since


def test_before_the_start_the_driver_sees_the_price_of_now_and_the_rule() -> None:
    """Not a hundred slots: what it costs now, whom it follows, and what holds where nobody knows."""
    tariff = frozen(following(markup="0.12"), "0.08", "0.20", "0.30")
    shown = price_shown(tariff, AN_INSTANT, "Europe/Berlin")
    assert [(line.unit_price, line.applies_now) for line in shown.lines] == [
        (Decimal("0.2000"), True),
        (Decimal("0.45"), False),
    ]


def test_the_next_slot_is_the_next_price() -> None:
    """Who looks at a running session sees what it will cost at eleven."""
    tariff = frozen(following(minutes=60), "0.10", "0.20")
    live = LiveRating(a_session((30 * MINUTE, 5_000_000)), tariff)
    change = outlook(live).change
    assert change is not None
    assert change.at == AN_INSTANT + HOUR
    assert [one.price for one in change.prices] == [Decimal("0.2000")]


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "market price 0.08 per kWh in DE-LU"),
        ("de", "Marktpreis 0,08 pro kWh in DE-LU"),
        ("fr", "prix du marché 0,08 par kWh en DE-LU"),
        ("nl", "marktprijs 0,08 per kWh in DE-LU"),
        ("es", "precio de mercado 0,08 por kWh en DE-LU"),
        ("it", "prezzo di mercato 0,08 per kWh in DE-LU"),
    ],
)
def test_the_market_price_stands_in_the_sentence(locale: str, said: str) -> None:
    """The driver can look it up."""
    tariff = frozen(following(markup="0.12"), "0.08")
    session = a_session((HOUR, 10_000_000))
    rated, fixed = price(session, tariff, STANDARD)
    rows = rated_rows(RatedId("R1"), session, rated, fixed, created_at=AN_INSTANT, zone_data_version="")
    assert said in sentence(rows.lines[0], "Europe/Berlin", locale)


def test_where_it_was_not_known_and_what_it_follows_are_said_too() -> None:
    """The fallback has its own words, and so has the rule before it is frozen."""
    session = a_session((HOUR, 10_000_000))
    rated, fixed = price(session, frozen(following()), STANDARD)
    rows = rated_rows(RatedId("R1"), session, rated, fixed, created_at=AN_INSTANT, zone_data_version="")
    assert "where the market price of DE-LU was not known" in sentence(rows.lines[0], "Europe/Berlin")


@pytest.mark.parametrize(
    ("index", "path"),
    [
        ("DE-LU", ""),
        ({"market": " "}, ".market"),
        ({"minutes": 30}, ".minutes"),
        ({"minutes": True}, ".minutes"),
        ({"places": 7}, ".places"),
        ({"missing": "guess"}, ".missing"),
        ({"floor": "0.5", "cap": "0.4"}, ".cap"),
        ({"factor": "much"}, ".factor"),
        ({"slots": {}}, ".slots"),
        ({"slots": [["2026-11-24T10:00:00Z"]]}, ".slots"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_path(index: Any, path: str) -> None:
    """A tariff with a typing error must not follow anything."""
    with pytest.raises(BadField) as refused:
        following(**index) if isinstance(index, dict) else _with(index)
    assert refused.value.path == f"elements[0].price_components[0].index{path}"


def _with(index: Any) -> Tariff:
    data = to_data(following())
    data["elements"][0]["price_components"][0]["index"] = index
    return read_tariff(data)


def test_only_energy_follows_a_market_and_unknown_keys_are_told() -> None:
    """A market has no price for time."""
    data = to_data(following(colour="green"))
    assert following(colour="green").unread == ("elements[0].price_components[0].index.colour",)
    data["elements"][0]["price_components"][0]["type"] = "TIME"
    with pytest.raises(BadField):
        read_tariff(data)


@pytest.mark.parametrize("version", list(Version))
def test_ocpi_carries_the_fallback_alone_and_the_note_says_what_is_lost(version: Version) -> None:
    """A partner who gets this tariff would charge something else: whoever sends it must know."""
    written = write_tariff(following(), version)
    assert "elements[0].price_components[0].index" in written.lost
    assert "index" not in written.data["elements"][0]["price_components"][0]


@settings(max_examples=40)
@given(
    session=sessions(),
    prices=st.lists(st.none() | st.integers(-500, 900), max_size=20),
    minutes=st.sampled_from([15, 60]),
)
def test_a_running_session_under_a_market_price_ends_at_its_price(
    session: MeteredSession, prices: list[int | None], minutes: int
) -> None:
    """The promise of the live figure holds for slots, too, and the lines cover all energy."""
    told = [None if one is None else str(Decimal(one) / 1000) for one in prices]
    tariff = frozen(
        following(minutes=minutes, missing="last_known"), *told, since=session.started_at - session.started_at % HOUR
    )
    live = LiveRating(replace(session, readings=(), activities=()), tariff)
    for reading in session.readings:
        live.hear([reading])
        live.so_far()
    live.hear(activities=session.activities)
    whole = rate(session, tariff)
    assert replace(live.ended(session), periods=()) == replace(whole, periods=())
    assert whole.priced_milliwatt_hours == whole.milliwatt_hours


def test_a_component_without_a_market_follows_none() -> None:
    """A tariff may price the energy by the market, and the session by itself."""
    mixed = a_tariff(an_element(("FLAT", "1")), an_element(("ENERGY", "0.4")))

    assert list(indexes(mixed)) == []
    assert not follows_market(mixed)
