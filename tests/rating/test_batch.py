"""Prices by columns: for every record and every tariff the pricer's own, to the last digit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.rating import compiled as compiled_module
from tallywatt.rating import pipeline
from tallywatt.rating.batch import price_of, price_records
from tallywatt.rating.cdr import ChargeRecord, RecordPeriod, read_cdr
from tallywatt.rating.columns import Prices, Terms, records_of
from tallywatt.rating.compiled import compiled, knows
from tallywatt.rating.fields import BadField, Version
from tallywatt.rating.pipeline import rate_line, read_wishes
from tallywatt.rating.plan import plan_of
from tallywatt.rating.policy import STANDARD, Amounts, FlatScope, Policy, Rounding, StepSize, UnknownSignal
from tallywatt.rating.rate_cdr import rate_record
from tallywatt.rating.read import read_tariff
from tallywatt.rating.tariff import to_data
from tests.rating.examples import HOUR, LONDON, ZONES, a_tariff, an_element, limited_tariffs, reserving, tariffs
from tests.rating.test_pipeline_cases import CASES, _case

if TYPE_CHECKING:
    from tallywatt.rating.tariff import Tariff

START = parse_instant("2026-11-24T10:00:00Z")
_STARTS = st.one_of(
    st.integers(parse_instant("2026-01-01T00:00:00Z"), parse_instant("2026-12-31T00:00:00Z")),
    # Around the changes to and from summer time.
    st.integers(parse_instant("2026-03-28T18:00:00Z"), parse_instant("2026-03-29T06:00:00Z")),
    st.integers(parse_instant("2026-10-24T18:00:00Z"), parse_instant("2026-10-25T06:00:00Z")),
)
_TIMES = st.one_of(st.none(), st.integers(0, 4 * HOUR), st.just(0))
_SIGNALS = st.one_of(st.none(), st.integers(0, 200_000))


def a_period(
    start: int, energy: int = 0, charging: int | None = None, parking: int | None = None, **more: Any
) -> RecordPeriod:
    """A period of a record."""
    signals = dict.fromkeys(("least_watts", "most_watts", "least_milliamps", "most_milliamps"))
    rest: dict[str, Any] = {"fed_back": 0, "reserved": None, **signals, **more}
    return RecordPeriod(
        start=Instant(start),
        dimensions=(),
        tariff_reference=None,
        milliwatt_hours=energy,
        charging=charging,
        parking=parking,
        **rest,
    )


def a_record(*periods: RecordPeriod, tariff: Tariff) -> ChargeRecord:
    """A record of periods."""
    return ChargeRecord("C1", Version.OCPI_2_3_0, periods[0].start, periods[-1].start, tariff.currency, periods)


@st.composite
def periods(draw: st.DrawFn, usual: bool) -> tuple[RecordPeriod, ...]:
    """The periods of any record; the usual ones reserve nothing and feed nothing back."""
    start = draw(_STARTS)
    found = []
    for _ in range(draw(st.integers(1, 5))):
        found.append(
            a_period(
                start,
                draw(st.one_of(st.just(0), st.integers(0, 30_000_000))),
                draw(_TIMES),
                draw(_TIMES),
                least_watts=draw(_SIGNALS),
                most_watts=draw(_SIGNALS),
                fed_back=0 if usual else draw(st.sampled_from([0, 0, 1_500_000])),
                reserved=None if usual else draw(st.sampled_from([None, None, HOUR])),
            )
        )
        start += draw(st.integers(0, 6 * HOUR))
    # What one period gives and takes is one figure in a record.
    return tuple(one._replace(milliwatt_hours=0) if one.fed_back else one for one in found)


POLICIES = st.builds(
    Policy,
    # Mostly those that columns know.
    step_size=st.sampled_from([StepSize.ON, StepSize.ON, StepSize.BY_DIMENSION, StepSize.OFF, *StepSize]),
    unknown_signal=st.sampled_from(UnknownSignal),
    amounts=st.sampled_from(Amounts),
    rounding=st.sampled_from(Rounding),
    flat_scope=st.sampled_from(FlatScope),
)


def differences(prices: Prices, place: int, record: ChargeRecord, terms: Terms) -> list[tuple[object, object]]:
    """Where both ways have another price: the total before and after tax, any part, the minor units."""
    rated = rate_record(record, [terms.tariff], terms.policy, zone=terms.zone)
    found = prices.price(place)
    exact = (rated.rated.exact_before_taxes, rated.rated.exact_after_taxes)
    return [pair for pair in ((found, price_of(rated, terms.policy)), (found.total, exact)) if pair[0] != pair[1]]


@given(
    told=st.lists(periods(usual=True), min_size=1, max_size=6),
    tariff=st.one_of(tariffs(), limited_tariffs()),
    policy=POLICIES,
    zone=ZONES,
)
def test_columns_give_the_pricer_s_price(
    told: list[tuple[RecordPeriod, ...]], tariff: Tariff, policy: Policy, zone: str
) -> None:
    """A month that is priced again by columns must not differ from its bills by a fraction of a cent."""
    terms = Terms(tariff, policy, zone)
    records = [a_record(*one, tariff=tariff) for one in told]
    prices = price_records(records_of(records), [terms])
    for place, record in enumerate(records):
        assert not differences(prices, place, record, terms)


@given(
    told=st.lists(periods(usual=False), min_size=1, max_size=4),
    tariff=tariffs().map(
        lambda one: reserving(one, an_element(("FLAT", "2.50", 20), ("TIME", "3.00", 20), reservation="RESERVATION"))
    ),
)
def test_reservations_and_energy_fed_back_cost_what_the_pricer_says(
    told: list[tuple[RecordPeriod, ...]], tariff: Tariff
) -> None:
    """Columns know neither: such a record goes to the pricer, and its neighbours do not notice."""
    terms = Terms(tariff, STANDARD, LONDON)
    records = [a_record(*one, tariff=tariff) for one in told]
    prices = price_records(records_of(records), [terms])
    for place, record in enumerate(records):
        rare = any(one.fed_back or one.reserved is not None for one in record.periods)
        assert not (rare and prices.compiled[place])
        assert not differences(prices, place, record, terms)


DAY_AND_NIGHT = a_tariff(
    an_element(("ENERGY", "0.45", 20, 1), ("TIME", "1.20", 20, 60), start_time="07:00", end_time="17:00"),
    an_element(("ENERGY", "0.35", 20, 1), ("PARKING_TIME", "6.00", 20, 300), ("FLAT", "1.00", 20)),
)
DAY_AND_NIGHT_TERMS = Terms(DAY_AND_NIGHT, STANDARD, LONDON)


def an_evening(start: int = START) -> tuple[RecordPeriod, ...]:
    """Charging until after five, then idling for a while."""
    return (
        a_period(start, 14_000_000, 7 * HOUR),
        a_period(start + 7 * HOUR, 3_000_000, HOUR),
        a_period(start + 8 * HOUR, 0, None, HOUR + 1000),
    )


def test_a_usual_tariff_is_priced_by_columns_alone() -> None:
    """A form that leaves everything to the pricer would pass every other test here."""
    prices = price_records(records_of([a_record(*an_evening(), tariff=DAY_AND_NIGHT)] * 3), [DAY_AND_NIGHT_TERMS])
    assert prices.priced_one_by_one == 0
    assert prices.versions == (DAY_AND_NIGHT.version_id,)
    # 14 kWh and 7 h by day, 3 kWh by night, an hour of idling and one second more in blocks of five minutes, the fee.
    expected = Fraction("6.30") + Fraction("8.40") + Fraction("1.05") + Fraction("6.50") + 1
    for place in range(3):
        assert prices.price(place).total.after_taxes == expected
        assert prices.price(place).gross_minor == 2325


def test_records_of_many_terms_come_back_in_their_order() -> None:
    """A month of all partners is one file; each of its records has its own tariff, its own zone and its own policy."""
    other = a_tariff(an_element(("ENERGY", "0.50", 7)), currency="JPY", tax_included="NO")
    terms = [DAY_AND_NIGHT_TERMS, Terms(other, STANDARD), DAY_AND_NIGHT_TERMS._replace(zone="Asia/Kathmandu")]
    picks = [2, 0, 1, 1, 0, 2]
    records = [
        a_record(*an_evening(START + place * HOUR), tariff=terms[pick].tariff) for place, pick in enumerate(picks)
    ]
    for order in (picks, sorted(picks)):
        prices = price_records(records_of(records), terms, np.array(order))
        for place, pick in enumerate(order):
            assert not differences(
                prices, place, replace(records[place], currency=terms[pick].tariff.currency), terms[pick]
            )


def test_no_records_have_no_prices() -> None:
    """The last batch of a file may be empty."""
    assert len(price_records(records_of([]), [DAY_AND_NIGHT_TERMS])) == 0


def test_more_records_than_are_priced_at_once_are_all_priced() -> None:
    """Nothing is lost at the seam between two pieces, nor where terms lie scattered."""
    some = records_of([a_record(*an_evening(START + 1000 * number), tariff=DAY_AND_NIGHT) for number in range(10)])
    many = some.at(np.arange(20_000) % 10)
    terms = [DAY_AND_NIGHT_TERMS, DAY_AND_NIGHT_TERMS._replace(zone="Europe/Berlin")]
    prices = price_records(many, terms, np.arange(20_000) // 10 % 2)
    few = price_records(some.at(np.arange(20) % 10), terms, np.arange(20) // 10)
    assert prices.priced_one_by_one == 0
    for name, amounts in prices.exact.items():
        assert (amounts == np.tile(few.exact[name], 1000)).all()


def test_a_tariff_that_asks_for_the_local_time_needs_a_zone() -> None:
    """A price by the wrong clock is a wrong price."""
    with pytest.raises(BadField, match="local time"):
        price_records(records_of([a_record(*an_evening(), tariff=DAY_AND_NIGHT)]), [Terms(DAY_AND_NIGHT, STANDARD)])


@pytest.mark.parametrize("start", ["1971-06-01T10:00:00Z", "2150-06-01T10:00:00Z"])
def test_a_station_with_a_clock_from_another_century_costs_the_same(start: str) -> None:
    """1970 is what a station says before its clock is set; the zones of such times are left to the pricer."""
    records = [a_record(*an_evening(at), tariff=DAY_AND_NIGHT) for at in (parse_instant(start), START)]
    prices = price_records(records_of(records), [DAY_AND_NIGHT_TERMS])
    assert prices.compiled.tolist() == [False, True]
    assert not differences(prices, 0, records[0], DAY_AND_NIGHT_TERMS)
    assert not differences(prices, 1, records[1], DAY_AND_NIGHT_TERMS)
    alone = price_records(records_of(records[:1]), [DAY_AND_NIGHT_TERMS])
    assert not differences(alone, 0, records[0], DAY_AND_NIGHT_TERMS)


# What does not fit


def test_a_sum_beyond_64_bits_goes_to_the_pricer() -> None:
    """Whole numbers of a processor wrap around silently: a petawatt-hour must not become a credit."""
    terms = DAY_AND_NIGHT_TERMS
    records = [
        a_record(a_period(START, 10**15, 10**14), tariff=DAY_AND_NIGHT),
        a_record(*an_evening(), tariff=DAY_AND_NIGHT),
        a_record(a_period(START, 2**62), a_period(START, 2**62), a_period(START, 2**62), tariff=DAY_AND_NIGHT),
    ]
    prices = price_records(records_of(records), [terms])
    assert prices.compiled.tolist() == [False, True, False]
    for place, record in enumerate(records):
        assert not differences(prices, place, record, terms)


@given(tariff=st.one_of(tariffs(), limited_tariffs()), policy=POLICIES, more=st.integers(0, 1))
def test_the_most_that_columns_take_is_priced_right_and_one_more_is_left(
    tariff: Tariff, policy: Policy, more: int
) -> None:
    """Right at the limit every sum is as large as it gets: if anything wrapped around, it would be here."""
    form = compiled(tariff, policy)
    if form is None:
        return
    terms = Terms(tariff, policy, LONDON)
    told = a_period(START, form.most_milliwatt_hours + more, form.most_charging, form.most_parking)
    # A record of two periods, so that no period is charging and parking, where that would go to the pricer.
    charging = told._replace(parking=None)
    parking = told._replace(milliwatt_hours=0, charging=None, start=Instant(told.start + HOUR))
    record = a_record(charging, parking, tariff=tariff)
    prices = price_records(records_of([record]), [terms])

    assert not (more and prices.compiled[0])
    assert not differences(prices, 0, record, terms)


def test_an_exact_price_beyond_64_bits_stays_exact() -> None:
    """Nine decimals and four rates of tax with prime parts: no 64 bits hold their common denominator."""
    elements = [
        an_element((kind, f"0.12345678{number}", rate, 1))
        for number, (kind, rate) in enumerate(
            [("ENERGY", "19.37"), ("TIME", "8.111"), ("PARKING_TIME", "5.773"), ("FLAT", "21.997")], 1
        )
    ]
    tariff = a_tariff(*elements)
    terms = Terms(tariff, STANDARD)
    record = a_record(*an_evening(), tariff=tariff)
    prices = price_records(records_of([record]), [terms])
    assert compiled(tariff, STANDARD) is None
    assert list(prices.beyond) == [0]
    assert prices.denominator.tolist() == [0]
    assert not differences(prices, 0, record, terms)


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ((), "cap_per_day"),
        (("elements", 0), "discounts"),
        (("elements", 0, "price_components", 0), "index"),
        (("elements", 0, "restrictions"), "free_until"),
    ],
)
def test_what_a_tariff_may_carry_one_day_is_left_to_the_pricer(where: tuple[Any, ...], key: str) -> None:
    """Who adds a field to tariffs need not think of columns: they refuse what they have not heard of."""
    data = to_data(DAY_AND_NIGHT)
    assert knows(data)
    place: Any = data
    for step in where:
        place = place[step]
    place[key] = 1
    assert not knows(data)


def test_a_plan_with_more_than_is_known_is_left_to_the_pricer() -> None:
    """The grace for idling is such a field: it depends on how the periods follow each other."""
    tariff = read_tariff(to_data(DAY_AND_NIGHT) | {"idle_grace": {"seconds": 900}})
    terms = Terms(tariff, STANDARD, LONDON)
    record = a_record(*an_evening(), tariff=tariff)
    prices = price_records(records_of([record]), [terms])
    assert compiled(tariff, STANDARD) is None
    assert prices.priced_one_by_one == 1
    assert not compiled_module._knows_plan(plan_of(tariff))
    assert not differences(prices, 0, record, terms)


@pytest.mark.parametrize(
    "more",
    [
        {"idle_free": {"windows": [{"start_time": "18:00", "end_time": "08:00"}]}},
        {"elements": [an_element(("ENERGY", "0.45", 20)) | {}]},
        {"caps": [{"per": "session", "after_taxes": "2"}]},
        {"caps": [{"per": "day", "after_taxes": "2", "dimensions": ["ENERGY"]}]},
        {"discounts": [{"id": "A", "percent": "12.5"}]},
        {"elements": [an_element(("ENERGY", "0.45", 20), max_month_kwh=1), an_element(("ENERGY", "0.30", 20))]},
    ],
    ids=[
        "free nights",
        "a market's price",
        "a cap of the session",
        "a cap of the day",
        "a discount",
        "a tier of a month",
    ],
)
def test_what_goes_beyond_ocpi_costs_the_same_one_by_one(more: dict[str, Any]) -> None:
    """Free nights, prices of a market: an operator who has them re-rates with the others, a little slower."""
    if len(more.get("elements", ())) == 1:
        slots = [["2026-11-24T10:00:00Z", "0.10"], ["2026-11-24T18:00:00Z", "0.30"]]
        more["elements"][0]["price_components"][0]["index"] = {"market": "DE-LU", "slots": slots}
    tariff = read_tariff(to_data(DAY_AND_NIGHT) | more)
    terms = Terms(tariff, STANDARD, LONDON)
    record = a_record(*an_evening(), tariff=tariff)
    prices = price_records(records_of([record]), [terms])

    assert tariff.unread == ()
    assert prices.compiled.tolist() == [False]
    assert prices.priced_one_by_one == 1
    assert not differences(prices, 0, record, terms)


def test_a_choice_that_policies_may_have_one_day_is_left_to_the_pricer() -> None:
    """As with tariffs: only what is as it always was can be known."""

    @dataclass(frozen=True)
    class Later(Policy):
        rounds_each_line: bool = False

    plan = plan_of(DAY_AND_NIGHT)
    assert compiled_module._knows_policy(Later(), plan)
    assert not compiled_module._knows_policy(Later(rounds_each_line=True), plan)


@pytest.mark.parametrize("number", [3, 30])
def test_a_tariff_with_very_many_restrictions_is_priced_all_the_same(number: int) -> None:
    """Each restriction doubles the states; where there are too many, the pricer asks one after the other."""
    tariff = a_tariff(
        *[an_element(("ENERGY", f"0.{10 + step}", 20), max_kwh=1 + step) for step in range(number)],
        an_element(("ENERGY", "0.50", 20)),
    )
    record = a_record(*an_evening(), tariff=tariff)
    prices = price_records(records_of([record]), [Terms(tariff, STANDARD)])
    assert prices.compiled.tolist() == [number == 3]
    assert not differences(prices, 0, record, Terms(tariff, STANDARD))


def test_a_tariff_that_prices_a_reservation_alone_is_left_to_the_pricer() -> None:
    """There is nothing in it that charging could cost."""
    tariff = a_tariff(an_element(("FLAT", "2.50", 20), reservation="RESERVATION"))
    record = a_record(*an_evening(), tariff=tariff)
    assert not differences(
        price_records(records_of([record]), [Terms(tariff, STANDARD)]), 0, record, Terms(tariff, STANDARD)
    )


@pytest.mark.parametrize("step", [StepSize.BY_COMPONENT, StepSize.COMBINED])
def test_old_readings_of_blocks_are_left_to_the_pricer(step: StepSize) -> None:
    """They depend on which price was used when, not on sums."""
    assert compiled(DAY_AND_NIGHT, replace(STANDARD, step_size=step)) is None


# Limits


@pytest.mark.parametrize("included", ["YES", "NO"])
def test_a_price_limit_is_decided_by_columns_where_there_is_one_tax_rate(included: str) -> None:
    """A most that a session costs is in every second tariff; it must not send every long session to the pricer."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.50", 19)),
        tax_included=included,
        min_price={"before_taxes": "2.00", "after_taxes": "2.50"},
        max_price={"after_taxes": "20.00"},
    )
    terms = Terms(tariff, STANDARD)
    records = [a_record(a_period(START, energy), tariff=tariff) for energy in (0, 4_500_000, 20_000_000, 90_000_000)]
    prices = price_records(records_of(records), [terms])
    assert compiled_limits(tariff)
    for place, record in enumerate(records):
        assert not differences(prices, place, record, terms)
    assert prices.compiled[2:].all()


def compiled_limits(tariff: Tariff) -> bool:
    """Whether at least one limit is decided by columns."""
    form = compiled(tariff, STANDARD)
    return form is not None and any(one.instead is not None for one in form.bounds)


# Several rates of tax


@pytest.mark.parametrize("included", ["YES", "NO"])
@pytest.mark.parametrize("rounding", Rounding)
def test_what_rounding_leaves_goes_to_the_largest_rate(included: str, rounding: Rounding) -> None:
    """Three rates are rounded to cents, and so is their sum: two hundred records meet every way in which they differ."""
    tariff = a_tariff(
        an_element(("ENERGY", "0.3333", 19), ("TIME", "1.111", 7), ("FLAT", "0.255")), tax_included=included
    )
    terms = Terms(tariff, replace(STANDARD, rounding=rounding))
    records = [a_record(a_period(START, 37_777 * place, 61_111 * place), tariff=tariff) for place in range(200)]
    prices = price_records(records_of(records), [terms])

    assert prices.compiled.sum() > 150
    for place, record in enumerate(records):
        assert not differences(prices, place, record, terms)


def test_where_two_rates_are_equally_large_the_pricer_decides() -> None:
    """Half a cent at 19 % and half a cent at 7 % are one cent: which rate has it depends on the order of the lines."""
    tariff = a_tariff(an_element(("ENERGY", "0.005", 19), ("TIME", "0.005", 7)))
    terms = Terms(tariff, STANDARD)
    records = [a_record(a_period(START, 1_000_000, charging), tariff=tariff) for charging in (HOUR, 10 * HOUR)]
    prices = price_records(records_of(records), [terms])

    assert prices.compiled.tolist() == [False, True]
    assert prices.price(0).gross_minor == 1
    for place, record in enumerate(records):
        assert not differences(prices, place, record, terms)


# The cases of the specification


def test_every_case_of_a_record_costs_the_same_by_columns() -> None:
    """The examples of three OCPI texts and all doubtful points, on the second way."""
    priced = by_columns = 0
    for path in CASES:
        found = read_line(_case(path)["line"])
        if found is not None:
            record, terms = found
            prices = price_records(records_of([record]), [terms])
            assert not differences(prices, 0, record, terms)
            priced += 1
            by_columns += int(prices.compiled[0])
    assert priced >= 130
    assert by_columns >= 60


def read_line(line: Any) -> tuple[ChargeRecord, Terms] | None:
    """A line of the pipeline as one record under one tariff; None where it is in error or has several."""
    if "error" in rate_line(line):
        return None
    version = pipeline._version(line.get("version"))
    record = read_cdr(pipeline._completed(line, []), version)
    wishes = read_wishes(line.get("policy"), record.version)
    tariffs = [pipeline._with_taxes(one, wishes.taxes) for one in pipeline._tariffs(line, record, wishes, version, [])]
    zone = pipeline._zone(line, record)
    used = rate_record(
        record, tariffs, wishes.policy, zone=zone, reservation_expired=wishes.reservation_expired
    ).tariffs
    mixed = len({one.tariff_reference for one in record.periods}) > 1
    return None if mixed or wishes.reservation_expired else (record, Terms(used[0], wishes.policy, zone))
