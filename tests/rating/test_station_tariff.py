"""A tariff in the words of OCPP 2.1: a station that counts by it comes to what is billed, or it is not told it at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema_rs
import ocpp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.identity import SessionId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating.policy import FlatScope, Interpolation, Policy, StepSize, UnknownSignal
from tallywatt.rating.rate import rate
from tallywatt.rating.read import read_tariff
from tallywatt.rating.station_tariff import Abilities, Doubt, Gap, is_our_name, say_tariff
from tallywatt.rating.tariff import PriceLimit, Tariff, to_data
from tests.rating.examples import HOUR, a_tariff, an_element, tariffs

SCHEMAS = Path(ocpp.__file__).parent / "v21" / "schemas"
VALID = jsonschema_rs.validator_for(json.loads((SCHEMAS / "SetDefaultTariffRequest.json").read_text("utf-8-sig")))
SIMPLE = an_element(("ENERGY", "0.49", 19))
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PER_KWH = 1_000_000
PER_MINUTE = 60_000
LEAST_DOUBT = Fraction(2, 1000)
"""What one millisecond and one milliwatt-hour at a change of price may cost, at the prices of these tests."""


def gaps(tariff: Tariff, policy: Policy = Policy(), **able: Any) -> list[Gap]:  # noqa: B008  # it is frozen
    """What of a tariff cannot be said."""
    return [one.gap for one in say_tariff(tariff, policy, Abilities(**able)).unsaid]


# A station, as its maker reads the specification: it has the words alone, and shares nothing with the rating.


@dataclass(frozen=True)
class Stay:
    """What a vehicle did: turns of charging and idling, each with its length and what flowed in it."""

    start: int
    zone: str
    turns: tuple[tuple[bool, int, int], ...]

    def metered(self) -> MeteredSession:
        """The same, as the platform sees it."""
        at, energy = self.start, 0
        changes, readings = [], []
        for charges, lasts, flows in self.turns:
            what = Activity.CHARGING if charges else Activity.SUSPENDED_EV
            changes.append(ActivityChange(Instant(at), what))
            at, energy = at + lasts, energy + flows
            readings.append(Reading(Instant(at), energy))
        return MeteredSession(
            SessionId("S"),
            self.zone,
            Instant(self.start),
            Instant(at),
            readings=tuple(readings),
            activities=tuple(changes),
        )


@dataclass(frozen=True)
class Piece:
    """A stretch of time in which no condition changes."""

    at: Fraction
    until: Fraction
    energy: Fraction
    flows: Fraction
    charges: bool
    idle_since: int


def station_counts(said: dict[str, Any], stay: Stay) -> Fraction:
    """The cost with tax of a stay, by a TariffType alone."""
    by_tax: list[tuple[Fraction, Fraction]] = []
    pieces = _pieces(said, stay)
    for name, price_name, per in (
        ("energy", "priceKwh", PER_KWH),
        ("chargingTime", "priceMinute", PER_MINUTE),
        ("idleTime", "priceMinute", PER_MINUTE),
    ):
        part = said.get(name)
        if part is not None:
            total = sum((_used(name, one) * _price(part, price_name, one, stay) for one in pieces), Fraction(0)) / per
            by_tax.append((total, _tax(part)))
    if "fixedFee" in said:
        first = Piece(Fraction(stay.start), Fraction(stay.start), Fraction(0), Fraction(0), True, stay.start)
        by_tax.append((_price(said["fixedFee"], "priceFixed", first, stay), _tax(said["fixedFee"])))
    cost = sum((net * (1 + tax) for net, tax in by_tax), Fraction(0))
    low, high = (said.get(name, {}).get("inclTax") for name in ("minCost", "maxCost"))
    cost = cost if low is None else max(cost, _exact(low))
    return cost if high is None else min(cost, _exact(high))


def _exact(number: float) -> Fraction:
    return Fraction(repr(number))


def _tax(part: dict[str, Any]) -> Fraction:
    return sum((_exact(one["tax"]) / 100 for one in part.get("taxRates", ())), Fraction(0))


def _used(name: str, piece: Piece) -> Fraction:
    if name == "energy":
        return piece.flows
    return piece.until - piece.at if piece.charges == (name == "chargingTime") else Fraction(0)


def _price(part: dict[str, Any], price_name: str, piece: Piece, stay: Stay) -> Fraction:
    """The first price whose conditions all hold."""
    for one in part["prices"]:
        if _holds(one.get("conditions", {}), piece, stay):
            return _exact(one[price_name])
    return Fraction(0)


def _holds(conditions: dict[str, Any], piece: Piece, stay: Stay) -> bool:
    there = datetime.fromtimestamp(float(piece.at) / 1000 + 0.0004, ZoneInfo(stay.zone))
    clock = there.strftime("%H:%M")
    since, until = conditions.get("startTimeOfDay", "00:00"), conditions.get("endTimeOfDay", "00:00")
    if since != until:
        late = clock >= since
        early = until == "00:00" or clock < until
        if not ((late or early) if until != "00:00" and since > until else (late and early)):
            return False
    idle = 0 if piece.charges else piece.at - piece.idle_since
    return (
        ("dayOfWeek" not in conditions or WEEK[there.weekday()] in conditions["dayOfWeek"])
        and conditions.get("validFromDate", "0") <= there.date().isoformat() < conditions.get("validToDate", "9")
        and _within(conditions, "Energy", piece.energy / 1000)
        and _within(conditions, "Time", (piece.at - stay.start) / 1000)
        and _within(conditions, "IdleTime", Fraction(idle) / 1000)
    )


def _within(conditions: dict[str, Any], name: str, value: Fraction) -> bool:
    low, high = conditions.get(f"min{name}"), conditions.get(f"max{name}")
    return (low is None or value >= _exact(low)) and (high is None or value < _exact(high))


def _pieces(said: dict[str, Any], stay: Stay) -> list[Piece]:
    """The stay, cut wherever a condition may change."""
    conditions = [
        one.get("conditions", {}) for part in said.values() if isinstance(part, dict) for one in part.get("prices", ())
    ]
    end = stay.start + sum(lasts for _, lasts, _ in stay.turns)
    every = _quarters(stay.start, end) | {stay.start + one * 1000 for one in _bounds(conditions, "minTime", "maxTime")}
    pieces: list[Piece] = []
    at, energy, idle_since = stay.start, 0, stay.start
    charged = True
    for charges, lasts, flows in stay.turns:
        if charged and not charges:
            idle_since = at
        charged = charged if not lasts else charges
        cuts = {Fraction(at), Fraction(at + lasts), *(one for one in every if at < one < at + lasts)}
        if flows and lasts:
            reached = {
                at + (one * 1000 - energy) * lasts / flows for one in _bounds(conditions, "minEnergy", "maxEnergy")
            }
            cuts |= {one for one in reached if at < one < at + lasts}
        if not charges:
            waited = {idle_since + one * 1000 for one in _bounds(conditions, "minIdleTime", "maxIdleTime")}
            cuts |= {one for one in waited if at < one < at + lasts}
        for here, there in pairwise(sorted(cuts)):
            before, part = energy + flows * (here - at) / lasts, flows * (there - here) / lasts
            pieces.append(Piece(here, there, before, part, charges, idle_since))
        at, energy = at + lasts, energy + flows
    return pieces


def _bounds(conditions: list[dict[str, Any]], *names: str) -> set[Fraction]:
    return {_exact(one[name]) for one in conditions for name in names if name in one}


def _quarters(start: int, end: int) -> set[Fraction]:
    """Every quarter of an hour: all clocks of the world change their hands' hours at one of them, as do these tariffs."""
    step = 60_000 if end - start < 5 * HOUR else 900_000
    return {Fraction(one) for one in range(start - start % step, end, step) if one > start}


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    """Turns of charging and idling, around the changes of summer time too."""
    day = draw(st.sampled_from(["2026-03-28", "2026-10-24", "2026-06-30", "2026-12-31"]))
    start = parse_instant(f"{day}T00:00:00Z") + draw(st.integers(0, 47 * 60)) * 60_000
    turns = draw(
        st.lists(
            st.tuples(st.integers(1, 360), st.integers(0, 40_000_000), st.integers(0, 200)), min_size=1, max_size=3
        )
    )
    flat = [one for charge, flows, idle in turns for one in ((True, charge * 60_000, flows), (False, idle * 60_000, 0))]
    zone = draw(st.sampled_from(["Europe/Berlin", "Europe/London", "America/St_Johns"]))
    return Stay(start, zone, tuple(one for one in flat if one[1]))


def _make_sayable(element: dict[str, Any], vat: str | None, minute: str) -> None:
    limits = element.pop("restrictions", {})
    for name in ("min_power", "max_power"):
        limits.pop(name, None)
    for name in limits.keys() & {"start_time", "end_time"}:
        limits[name] = f"{limits[name][:2]}:{minute}"
    if limits:
        element["restrictions"] = limits
    for one in element["price_components"]:
        one["vat"] = vat


@st.composite
def sayable(draw: st.DrawFn) -> Tariff:
    """Tariffs, made so that many of them can be said: without power, in quarters of an hour, with one rate of tax or none."""
    data = to_data(draw(tariffs(st.sampled_from([0, 1]))))
    vat = draw(st.sampled_from([None, "7", "19"]))
    for element in data["elements"]:
        _make_sayable(element, vat, draw(st.sampled_from(["00", "15", "30"])))
    if draw(st.booleans()):
        data["elements"].append(an_element(("FLAT", "1.50", vat)))
    if draw(st.booleans()):
        data["idle_grace"] = {"seconds": draw(st.sampled_from([120, 600, 3600])), "retroactive": False}
    if draw(st.booleans()):
        data["idle_free"] = {"windows": [{"start_time": "22:00", "end_time": "07:00"}], "grace": "runs"}
    if draw(st.booleans()):
        data["min_price"], data["max_price"] = {"after_taxes": "2"}, {"before_taxes": "30"}
    return read_tariff(data)


def blocks_cost(tariff: Tariff) -> Fraction:
    """What a last begun watt-hour and second may cost, where the tariff counts whole ones."""
    prices = [one.price for element in tariff.elements for one in element.components if one.step_size]
    return Fraction(max(prices, default=0)) / 1000 * 2 * 2


@given(tariff=sayable(), stay=stays())
def test_a_station_comes_to_what_is_billed_by_every_tariff_that_was_said(tariff: Tariff, stay: Stay) -> None:
    """Two price engines never agree, unless one of them is told only what it can count."""
    told = say_tariff(tariff)
    if told.said is None:
        assert told.unsaid, "what is not said has its reasons"
        return
    VALID.validate({"evseId": 1, "tariff": told.said})
    billed = rate(stay.metered(), tariff).exact_after_taxes
    allowed = LEAST_DOUBT + blocks_cost(tariff)
    assert abs(station_counts(told.said, stay) - billed) <= allowed, json.dumps(told.said)


def test_prices_are_said_before_tax_and_per_minute() -> None:
    """A price that a driver reads is with tax; a station adds the tax itself."""
    told = say_tariff(a_tariff(SIMPLE, an_element(("TIME", "6", 19), ("PARKING_TIME", "12", 19))), words="0.49 per kWh")
    assert told.said == {
        "tariffId": told.tariff_id,
        "currency": "EUR",
        "description": [{"format": "UTF8", "content": "0.49 per kWh"}],
        "energy": {"prices": [{"priceKwh": 0.4117647059}], "taxRates": [{"type": "VAT", "tax": 19}]},
        "chargingTime": {"prices": [{"priceMinute": 0.0840336134}], "taxRates": [{"type": "VAT", "tax": 19}]},
        "idleTime": {"prices": [{"priceMinute": 0.1680672269}], "taxRates": [{"type": "VAT", "tax": 19}]},
    }
    assert told.doubts == (Doubt.WITHHELD,)


def test_equal_prices_have_an_equal_name_and_each_place_has_its_own() -> None:
    """A station takes no two tariffs of one name; by the name it is known what it counts by."""
    first = say_tariff(a_tariff(SIMPLE), subject="1")
    assert is_our_name(first.tariff_id)
    assert first.tariff_id == say_tariff(a_tariff(SIMPLE, name="Other"), words="dear", subject="1").tariff_id
    assert first.tariff_id != say_tariff(a_tariff(SIMPLE), subject="2").tariff_id
    assert first.tariff_id != say_tariff(a_tariff(an_element(("ENERGY", "0.50", 19))), subject="1").tariff_id
    assert not is_our_name("4111111111111111")


def test_a_night_on_some_days_is_said_as_two_windows() -> None:
    """Whether Friday's night goes on on Saturday, the words leave open."""
    told = say_tariff(
        a_tariff(an_element(("ENERGY", "1", 0), start_time="22:00", end_time="06:00", day_of_week=["FRIDAY"]))
    )
    assert told.said is not None
    assert [one["conditions"] for one in told.said["energy"]["prices"]] == [
        {"startTimeOfDay": "22:00", "endTimeOfDay": "00:00", "dayOfWeek": ["Friday"]},
        {"startTimeOfDay": "00:00", "endTimeOfDay": "06:00", "dayOfWeek": ["Friday"]},
    ]


def test_a_reservation_has_its_own_prices_and_an_expired_one_none() -> None:
    """Whoever did not come has no transaction: a station has nothing to count."""
    kept = an_element(("TIME", "6", 0), ("FLAT", "2", 0), reservation="RESERVATION")
    lost = an_element(("FLAT", "5", 0), reservation="RESERVATION_EXPIRES")
    told = say_tariff(a_tariff(SIMPLE, kept, lost))
    assert told.said is not None
    assert told.said["reservationTime"] == {"prices": [{"priceMinute": 0.1}], "taxRates": [{"type": "VAT", "tax": 0}]}
    assert told.said["reservationFixed"]["prices"] == [{"priceFixed": 2}]
    assert "fixedFee" not in told.said
    assert gaps(a_tariff(an_element(("TIME", "6", 0), reservation="RESERVATION", max_duration=600))) == [
        Gap.RESERVATION
    ]


@pytest.mark.parametrize(
    ("tariff", "gap"),
    [
        (a_tariff(an_element(("ENERGY", "1", 19, 1000))), Gap.BLOCKS),
        (a_tariff(an_element(("ENERGY", "1", 19), min_month_kwh=100), SIMPLE), Gap.MONTH_TIER),
        (a_tariff(an_element(("ENERGY", "1", 7), max_kwh=3), SIMPLE), Gap.TAXES_DIFFER),
        (a_tariff(SIMPLE, an_element(("FLAT", "1", 19), start_time="20:00", end_time="22:00")), Gap.FEE_LATER),
        (a_tariff(SIMPLE, an_element(("FLAT", "1", 19), min_kwh=3), an_element(("FLAT", "2", 19))), Gap.FEE_CONDITION),
        (
            a_tariff(an_element(("PARKING_TIME", "6", 19)), idle_grace={"seconds": 60, "retroactive": True}),
            Gap.IDLE_GRACE,
        ),
        (
            a_tariff(
                an_element(("PARKING_TIME", "6", 19)),
                idle_grace={"seconds": 60, "retroactive": False},
                idle_free={"windows": [{"start_time": "22:00", "end_time": "07:00"}], "grace": "pauses"},
            ),
            Gap.IDLE_GRACE,
        ),
        (a_tariff(SIMPLE, caps=[{"per": "day", "after_taxes": "10"}]), Gap.CAP),
        (a_tariff(SIMPLE, caps=[{"per": "session", "after_taxes": "10", "dimensions": ["ENERGY"]}]), Gap.CAP),
        (a_tariff(SIMPLE, discounts=[{"id": "d", "percent": "10"}]), Gap.DISCOUNT),
        (a_tariff(SIMPLE, an_element(("TIME", "1", 7)), max_price={"after_taxes": "10"}), Gap.BOUNDS),
        (a_tariff(SIMPLE, min_price={"before_taxes": "10"}, max_price={"after_taxes": "11"}), Gap.BOUNDS),
        (
            a_tariff(
                {
                    "price_components": [
                        {
                            "type": "ENERGY",
                            "price": "0.4",
                            "index": {"market": "DE", "minutes": 60, "missing": "fallback"},
                        }
                    ]
                }
            ),
            Gap.MARKET,
        ),
    ],
)
def test_what_has_no_words_is_told_and_the_tariff_is_not_said(tariff: Tariff, gap: Gap) -> None:
    """Half a tariff is a wrong price; a person is told which half."""
    told = say_tariff(tariff)
    assert told.said is None
    assert [one.gap for one in told.unsaid] == [gap]
    assert told.unsaid[0].where in told.unsaid[0].sentence


def test_a_policy_decides_what_can_be_said() -> None:
    """Without blocks a block is none, and fees of several elements add up to what no station counts."""
    blocks = a_tariff(an_element(("ENERGY", "1", 19, 1000)))
    assert gaps(blocks, Policy(step_size=StepSize.OFF)) == []
    night = an_element(("FLAT", "1", 19), start_time="22:00", end_time="06:00")
    fees = a_tariff(night, an_element(("FLAT", "2", 19)))
    assert gaps(fees) == []
    assert gaps(fees, Policy(flat_scope=FlatScope.ELEMENT)) == [Gap.FEES_ADD_UP]


def test_a_policy_that_a_station_cannot_know_is_a_doubt() -> None:
    """It reads its meter all the time and knows its power: what we conclude where nothing was told, it never does."""
    night = a_tariff(an_element(("ENERGY", "1", 19), start_time="22:00", end_time="06:00"), SIMPLE)
    fast = a_tariff(an_element(("ENERGY", "1", 19), min_power=50), SIMPLE)
    measured = Policy(interpolation=Interpolation.MEASURED_ONLY)

    assert say_tariff(night).doubts == ()
    assert say_tariff(night, measured).doubts == (Doubt.BETWEEN_READINGS,)
    assert set(say_tariff(fast, Policy(unknown_signal=UnknownSignal.MATCHES)).doubts) == {
        Doubt.POWER,
        Doubt.BETWEEN_READINGS,
    }


def test_a_station_is_told_no_more_than_it_takes() -> None:
    """What it would refuse is not sent to it, and a person sees why."""
    tariff = a_tariff(an_element(("ENERGY", "1", 19), max_kwh=3), SIMPLE)
    assert gaps(tariff, most_prices=2, takes_conditions=True) == []
    assert gaps(tariff, most_prices=1) == [Gap.TOO_MANY_PRICES]
    assert gaps(tariff, takes_conditions=False) == [Gap.CONDITIONS]
    assert gaps(a_tariff(SIMPLE), takes_conditions=False) == []


def test_a_cap_of_the_whole_session_is_its_highest_cost() -> None:
    """The lower of two promises holds."""
    told = say_tariff(
        a_tariff(SIMPLE, max_price={"after_taxes": "20"}, caps=[{"per": "session", "before_taxes": "10"}])
    )
    assert told.said is not None
    assert told.said["maxCost"] == {"exclTax": 10, "inclTax": 11.9}


def test_a_limit_without_a_figure_is_no_bound() -> None:
    """Partners send an empty object where they mean none."""
    told = say_tariff(replace(a_tariff(SIMPLE), min_price=PriceLimit(), max_price=PriceLimit(after_taxes=Decimal(20))))
    assert told.said is not None
    assert "minCost" not in told.said
    assert told.said["maxCost"]["inclTax"] == 20


def test_dates_are_told_as_dates_and_power_is_a_doubt() -> None:
    """The last day is not included in both worlds; of power the station knows more than it tells."""
    tariff = a_tariff(
        an_element(("ENERGY", "1", 19), start_date="2026-12-01", end_date="2026-12-24", min_power=50), SIMPLE
    )
    told = say_tariff(tariff)
    assert told.said is not None
    assert told.said["energy"]["prices"][0]["conditions"] == {
        "validFromDate": "2026-12-01",
        "validToDate": "2026-12-24",
        "minPower": 50000,
    }
    assert told.doubts == (Doubt.POWER,)
