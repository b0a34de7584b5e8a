"""Idle time by power: where a station tells no SuspendedEV, a vehicle that takes little for long counts as asking for none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput
from tallywatt.kernel.identity import RatedId
from tallywatt.metering.metered import Activity, ActivityChange, MeteredSession, Reading
from tallywatt.rating import explain
from tallywatt.rating.fields import Version
from tallywatt.rating.live import LiveRating
from tallywatt.rating.offer import price_shown
from tallywatt.rating.policy import STANDARD, Policy
from tallywatt.rating.rate import Assumption, Reason, rate
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tariff import Tariff, to_data
from tallywatt.rating.write import write_tariff
from tests.rating.examples import AN_INSTANT, HOUR, LONDON, MINUTE, a_session, a_tariff, an_element, sessions, tariffs
from tests.rating.test_live import POLICIES, hear, so_far, told, without_periods

ELEMENT = an_element(("ENERGY", "0.40"), ("TIME", "1.20"), ("PARKING_TIME", "6"))
UNDER_500_W = {"watts": 500, "seconds": 600}
TARIFF = a_tariff(ELEMENT, idle_below=UNDER_500_W)


def taking(*kilowatts: float, told: tuple[int | None, ...] = (), ended: int | None = None) -> MeteredSession:
    """So much power in each ten minutes, with a reading at the end of each; power is told with a reading where it is given."""
    energy, readings = 0.0, []
    for place, power in enumerate(kilowatts):
        energy += power * 1_000_000 / 6
        watts = told[place] if place < len(told) else None
        readings.append(Reading(Instant(AN_INSTANT + (place + 1) * 10 * MINUTE), round(energy), watts))
    length = 10 * MINUTE * len(kilowatts) if ended is None else ended * MINUTE
    return replace(a_session(ended=length), readings=tuple(readings))


def with_states(session: MeteredSession, *changes: tuple[int, Activity]) -> MeteredSession:
    """The session with statuses, each with the minute from which on it holds."""
    return replace(
        session, activities=tuple(ActivityChange(Instant(AN_INSTANT + at * MINUTE), what) for at, what in changes)
    )


def idle_spans(session: MeteredSession, tariff: Tariff = TARIFF) -> list[tuple[float, float]]:
    """From which to which minute idle time is charged, line by line."""
    lines = [line for line in rate(session, tariff).lines if line.reason is Reason.IDLE_TIME]
    return [((line.start - AN_INSTANT) / MINUTE, (line.end - AN_INSTANT) / MINUTE) for line in lines]


def idle_minutes(session: MeteredSession, tariff: Tariff = TARIFF) -> float:
    """For how long idling is charged."""
    lines = [line for line in rate(session, tariff).lines if line.reason is Reason.IDLE_TIME]
    return sum(line.measured for line in lines) / MINUTE


@pytest.mark.parametrize(
    ("session", "spans"),
    [
        (taking(11, 11, 0.3, 0.3, 0.3), [(30, 50)]),  # ten minutes of the thirty are waited
        (taking(11, 0.3, 11, 0.3), []),  # never ten minutes in full and more
        (taking(11, 0.6, 0.6, 0.6), []),  # little, and not so little
        (taking(11, 0.3, 11, 0.3, 0.3), [(40, 50)]),  # anew after it has charged
        (taking(0, 0, 0), [(10, 30)]),  # a vehicle that never takes anything
        (taking(11, 0.3, 0.3, told=(None, 11_000, None)), []),  # the station told more power than the register shows
        (taking(11, 0.3, 0.3, 0.3, told=(11_000, 300, 300, 300)), [(30, 40)]),  # from the first reading that says so
        (taking(11, 0.3, 0.3, ended=60), [(20, 60)]),  # no reading follows: it goes on
        (taking(11, ended=60), []),  # nothing is known of what came after
    ],
)
def test_it_idles_once_it_took_little_for_long_enough_until_it_takes_more(
    session: MeteredSession, spans: list[tuple[float, float]]
) -> None:
    """Ten minutes under 500 W: then the fee runs, and stops when charging goes on."""
    assert idle_spans(session) == spans


def test_every_minute_is_charged_once_as_charging_or_as_idling() -> None:
    """What is no idle time is charging time: 30 minutes at 1.20 and 20 at 6.00 an hour, and 7.6166... kWh at 0.40."""
    rated = rate(taking(11, 11, 0.3, 0.3, 0.3), TARIFF)
    lengths = {line.reason: line.measured / MINUTE for line in rated.lines if line.reason is not Reason.ENERGY}
    assert lengths == {Reason.CHARGING_TIME: 30, Reason.IDLE_TIME: 20}
    assert float(rated.exact_total) == pytest.approx(0.60 + 2.00 + (22 / 6 + 0.9 / 6) * 0.40)


def test_power_that_is_withheld_says_nothing_about_the_vehicle() -> None:
    """Load management gives nothing for forty minutes: no idle fee, and after it the wait begins anew."""
    session = with_states(
        taking(11, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), (10, Activity.SUSPENDED_EVSE), (50, Activity.CHARGING)
    )
    assert idle_spans(session) == [(60, 70)]
    assert idle_spans(with_states(session, (10, Activity.SUSPENDED_EVSE))) == []


def test_an_outage_is_charged_to_nobody_and_the_wait_begins_anew() -> None:
    """The station was out of order from minute 25 to 45."""
    session = with_states(taking(11, 0.1, 0.1, 0.1, 0.1, 0.1), (25, Activity.INTERRUPTED), (45, Activity.CHARGING))
    assert (idle_spans(session), idle_minutes(session)) == ([(20, 60)], 10)


def test_a_station_that_tells_of_idling_is_believed_in_all_of_the_session() -> None:
    """It said Charging while little flowed: the vehicle asked for power, and a cold battery took none."""
    session = with_states(taking(11, 0.1, 0.1, 0.1, 11, 0), (50, Activity.SUSPENDED_EV))
    assert idle_spans(session) == [(50, 60)]
    (line,) = [one for one in rate(session, TARIFF).lines if one.reason is Reason.IDLE_TIME]
    assert line.assumptions == ()


def test_the_end_of_the_energy_waits_as_long() -> None:
    """A session that was brought tells when its energy ended: without the rule it idles at once, with it ten minutes later."""
    session = replace(taking(11, 11, ended=60), energy_ended_at=Instant(AN_INSTANT + 20 * MINUTE))
    plain = a_tariff(ELEMENT)
    assert (idle_spans(session, plain), idle_spans(session)) == ([(20, 60)], [(30, 60)])
    concluded = [line.assumptions for one in (plain, TARIFF) for line in rate(session, one).lines[-1:]]
    assert concluded == [(Assumption.IDLE_SINCE_ENERGY_ENDED,), (Assumption.IDLE_BELOW_POWER,)]
    inside = replace(taking(11, ended=60), energy_ended_at=Instant(AN_INSTANT + 5 * MINUTE))
    assert idle_spans(inside) == [(15, 60)]


def test_after_the_transaction_the_vehicle_is_parked_whatever_it_took() -> None:
    """Nobody needs to conclude that."""
    session = replace(taking(11, 11), occupancy_ended_at=Instant(AN_INSTANT + 50 * MINUTE))
    assert idle_spans(session) == [(20, 50)]


def test_a_jump_of_the_register_is_charging() -> None:
    """Two readings of one instant: whatever flowed between them, it was not little."""
    at = Instant(AN_INSTANT + 20 * MINUTE)
    readings = (Reading(Instant(AN_INSTANT + 10 * MINUTE), 0), Reading(at, 0), Reading(at, 900_000))
    session = replace(a_session(ended=40 * MINUTE), readings=(*readings, Reading(Instant(at + 20 * MINUTE), 900_000)))
    assert (idle_spans(session), idle_minutes(session)) == ([(10, 40)], 20)


def test_a_session_of_no_length_has_its_price() -> None:
    """Plugged in and out: nothing to conclude."""
    assert [line.reason for line in rate(a_session(ended=0), TARIFF).lines] == []


def test_a_grace_comes_on_top() -> None:
    """What is known late is still forgiven: ten minutes until it counts as idle, five of grace."""
    graceful = a_tariff(ELEMENT, idle_below=UNDER_500_W, idle_grace={"seconds": 300})
    assert idle_minutes(taking(11, 0, 0, 0), graceful) == 15
    retroactive = a_tariff(ELEMENT, idle_below=UNDER_500_W, idle_grace={"seconds": 300, "retroactive": True})
    assert idle_minutes(taking(11, 0, 0, 0), retroactive) == 20


def test_the_bill_says_on_what_it_rests_and_the_price_says_it_before() -> None:
    """In words, also in other languages."""
    session = taking(11, 0.3, 0.3, 0.3)
    rows = rated_rows(
        RatedId("R"), session, *price(session, TARIFF, STANDARD), created_at=AN_INSTANT, zone_data_version=""
    )
    [line] = [one for one in rows.lines if one.reason_code == "idle_time"]
    said = explain.sentence(line, LONDON)
    assert said.endswith("idle since the vehicle had taken less than 500 W for 10 min")
    assert "no status" not in said
    assert "weniger als 500 W" in explain.sentence(line, LONDON, "de")
    shown = [explain.shown_sentence(one, "EUR") for one in price_shown(TARIFF, AN_INSTANT, LONDON).lines]
    assert shown[2].endswith("per hour idle, after 10 min below 500 W where no status is told")


def test_it_is_part_of_the_version_and_told_to_be_lost() -> None:
    """OCPI has no word for it."""
    assert read_tariff_text(TARIFF.canonical) == TARIFF
    assert TARIFF.version_id != a_tariff(ELEMENT).version_id
    assert all("idle_below" in write_tariff(TARIFF, version).lost for version in Version)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (500, "tariff.not_an_object"),
        ({}, "tariff.not_a_number"),
        ({"watts": 500}, "tariff.not_a_number"),
        ({"watts": 0, "seconds": 60}, "tariff.not_a_number"),
        ({"watts": True, "seconds": 60}, "tariff.not_a_number"),
        ({"watts": "500", "seconds": 60}, "tariff.not_a_number"),
        ({"watts": 500, "seconds": 0.5}, "tariff.not_a_number"),
    ],
)
def test_what_cannot_be_meant_is_refused(told: object, code: str) -> None:
    """A misread bound is money."""
    with pytest.raises(BadInput) as refused:
        a_tariff(ELEMENT, idle_below=told)
    assert refused.value.code == code
    assert a_tariff(ELEMENT, idle_below=UNDER_500_W | {"minutes": 1}).unread == ("idle_below.minutes",)


RULES = st.fixed_dictionaries({"watts": st.integers(1, 30_000), "seconds": st.integers(1, 8 * 3600)})


@given(session=sessions(), tariff=tariffs(st.just(1)), rule=RULES)
def test_there_is_as_much_time_and_energy_with_it_as_without(
    session: MeteredSession, tariff: Tariff, rule: dict[str, int]
) -> None:
    """It says what kind of time it is, and changes nothing else: no minute is lost, none is charged twice."""
    plain, ruled = rate(session, tariff), rate(session, read_tariff(to_data(tariff) | {"idle_below": rule}))
    for one in (plain, ruled):
        assert one.periods[0].start == session.started_at
        assert one.periods[-1].end == session.ended_at
        assert all(here.end == there.start for here, there in zip(one.periods, one.periods[1:], strict=False))
    assert plain.milliwatt_hours == ruled.milliwatt_hours == session.milliwatt_hours


@given(session=sessions(), rule=RULES)
def test_a_longer_wait_and_a_lower_bound_never_charge_more_idling(
    session: MeteredSession, rule: dict[str, int]
) -> None:
    """Nor does it ever charge any while power is withheld, or the station is out of order."""
    lines = [ELEMENT]
    loose, late, low = (
        a_tariff(*lines, idle_below=one)
        for one in (rule, rule | {"seconds": rule["seconds"] * 2}, rule | {"watts": max(1, rule["watts"] // 2)})
    )
    assert idle_minutes(session, late) <= idle_minutes(session, loose)
    assert idle_minutes(session, low) <= idle_minutes(session, loose)
    for told_state in (Activity.SUSPENDED_EVSE, Activity.INTERRUPTED):
        whole = replace(session, activities=(ActivityChange(session.started_at, told_state),), occupancy_ended_at=None)
        assert idle_minutes(whole, loose) == 0


@given(
    powers=st.lists(st.integers(0, 20), min_size=1, max_size=8),
    cuts=st.lists(st.integers(1, 79), max_size=8, unique=True),
    rule=RULES,
)
def test_readings_on_the_same_line_change_nothing(powers: list[int], cuts: list[int], rule: dict[str, int]) -> None:
    """A station that reports each minute and one that reports each ten are charged alike where the power was the same."""
    tariff = a_tariff(ELEMENT, idle_below=rule)
    # Whole milliwatt-hours in each minute, so that a finer reading is on the line to the digit.
    marks, energy = [0], 0
    for power in powers:
        for _ in range(10):
            energy += power * 60_000
            marks.append(energy)
    minutes = len(powers) * 10
    coarse = a_session(*((at * MINUTE, marks[at]) for at in range(10, minutes + 1, 10)), ended=minutes * MINUTE)
    every = sorted({*range(10, minutes + 1, 10), *(cut for cut in cuts if cut < minutes)})
    fine = a_session(*((at * MINUTE, marks[at]) for at in every), ended=minutes * MINUTE)
    assert rate(coarse, tariff).exact_total == rate(fine, tariff).exact_total


@settings(max_examples=60)
@given(session=sessions(), tariff=tariffs(), policy=POLICIES, rule=RULES, often=st.integers(1, 3))
def test_fed_reading_by_reading_the_end_is_the_price_of_the_whole(
    session: MeteredSession, tariff: Tariff, policy: Policy, rule: dict[str, int], often: int
) -> None:
    """How long it was low may reach back behind what was shown before; a status may overturn what power told."""
    ruled = read_tariff(to_data(tariff) | {"idle_below": rule})
    live = LiveRating(replace(session, readings=(), activities=()), ruled, policy)
    heard: list[Reading | ActivityChange] = []
    for place, one in enumerate(told(session)):
        hear(live, one)
        heard.append(one)
        if place % often == 0:
            known = so_far(session, heard, live.heard_until)
            assert without_periods(live.so_far()) == without_periods(rate(known, ruled, policy))
    assert without_periods(live.ended(session)) == without_periods(rate(session, ruled, policy))


def test_while_it_runs_the_fee_begins_when_it_is_known_and_not_before() -> None:
    """Shown an hour later with no news: what was goes on. The next reading says that it charged, and nothing of it stays."""
    session = taking(11, 0.3, 0.3)
    live = LiveRating(replace(session, readings=()), TARIFF)
    live.hear(session.readings[:2])
    assert Reason.IDLE_TIME not in {line.reason for line in live.so_far().lines}
    live.hear(session.readings[2:])
    assert Reason.IDLE_TIME in {line.reason for line in live.so_far().lines}
    later = live.so_far(Instant(AN_INSTANT + HOUR))
    assert sum(line.measured for line in later.lines if line.reason is Reason.IDLE_TIME) == 40 * MINUTE
    live.hear([Reading(Instant(AN_INSTANT + HOUR), 10_000_000)])
    assert sum(line.measured for line in live.so_far().lines if line.reason is Reason.IDLE_TIME) == 10 * MINUTE
