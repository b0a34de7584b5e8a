"""What follows from the sample: registers that add up, incidents on fit rows, needs that fit the platform."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallywatt.kernel.clock import Instant
from tallywatt.simulators.site import plan, sample
from tallywatt.simulators.site.plan import Fault, Faults, Incident, Protocol

DAY = sample.read()
INCIDENTS = plan.choose_incidents(DAY)
ROWS = {row.id: row for row in DAY.rows}
ANY_ROW = st.sampled_from(DAY.rows)
REGISTER = st.integers(min_value=0, max_value=10**7).map(lambda watt_hours: watt_hours * 1000)


@given(row=ANY_ROW, register=REGISTER)
def test_a_session_takes_from_its_meter_exactly_what_the_row_says(row: sample.Row, register: int) -> None:
    """Whatever the register shows at the start, and however the curve runs in between."""
    play = plan.plan_row(row, register, None, frozenset())
    registers = [play.begin.register, *(sample.register for sample in play.samples), play.end.register]
    assert registers == sorted(registers)
    assert registers[-1] - registers[0] == row.milliwatt_hours == play.milliwatt_hours
    assert len(play.samples) <= plan.MOST_SAMPLES
    times = [play.begin.at, *(sample.at for sample in play.samples), play.end.at]
    assert all(before < after for before, after in pairwise(times))


@given(row=ANY_ROW, register=REGISTER, part=st.floats(min_value=0, max_value=1))
def test_a_session_stopped_from_afar_takes_what_had_flowed(row: sample.Row, register: int, part: float) -> None:
    """The readings before the stop stay as they were told."""
    play = plan.plan_row(row, register, None, frozenset())
    at = Instant(row.started_at + int((row.ended_at - row.started_at) * part))
    stopped = plan.cut(play, at)
    assert stopped.samples == tuple(sample for sample in play.samples if sample.at <= at)
    assert stopped.end.register - stopped.begin.register == stopped.milliwatt_hours <= row.milliwatt_hours
    assert stopped.stopped_remotely


def test_a_register_that_falls_to_zero_loses_nothing() -> None:
    """Delivered is what the last sample before the fall showed, and what the small register shows at the end."""
    row = ROWS[INCIDENTS[Incident.METER_RESET]]
    play = plan.plan_row(row, 5_000_000_000, Incident.METER_RESET, frozenset())
    fall = next(i for i, (a, b) in enumerate(pairwise(play.samples)) if b.register < a.register)
    before = play.samples[fall].register - play.begin.register
    assert before + play.end.register == row.milliwatt_hours
    assert play.end.register < play.begin.register


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_station_of_16_counts_whole_watt_hours(protocol: Protocol) -> None:
    """A start and a stop of 1.6 carry integers; 2.0.1 may tell every milliwatt-hour."""
    registers = [plan.first_register(s, c) for s, c in DAY.connectors if plan.protocol_of(s) is protocol]
    assert len(registers) > 20
    assert all(register % 1000 == 0 for register in registers) is (protocol is Protocol.V16)


def test_both_protocols_are_spoken_by_about_half_of_the_stations() -> None:
    """A mixed site is the normal case."""
    spoken = [plan.protocol_of(station) for station in {row.station for row in DAY.rows}]
    assert 15 <= spoken.count(Protocol.V16) <= 28


def test_every_incident_finds_a_row_that_is_fit_for_it() -> None:
    """The five are told apart by their rows: each has a station and a driver of its own."""
    assert set(INCIDENTS) == set(Incident)
    rows = [ROWS[row] for row in INCIDENTS.values()]
    assert len({row.station for row in rows}) == len(rows)
    lost = ROWS[INCIDENTS[Incident.LOST_STOP]]
    after = [r for r in DAY.rows if (r.station, r.connector) == (lost.station, lost.connector)]
    assert after[-1].started_at > lost.ended_at, "the next session's register reveals the energy"
    assert ROWS[INCIDENTS[Incident.NEVER_PLUGGED]].driver is None


def test_the_driver_whose_card_declines_charges_once() -> None:
    """One unpaid session, not a series."""
    trips: dict[str | None, int] = defaultdict(int)
    for row in DAY.rows:
        trips[row.driver] += 1
    assert trips[ROWS[INCIDENTS[Incident.DECLINED_CARD]].driver] == 1


def test_a_sample_that_fits_no_incident_has_none() -> None:
    """A day of one's own need not have anything to go wrong."""
    assert plan.choose_incidents(sample.Sample("empty", ())) == {}


def test_faults_hit_a_share_and_spare_who_must_be_reached() -> None:
    """The same seed hits the same rows; a driver who pays at the station needs it online."""
    faults = Faults(frozenset(Fault), share=0.5, seed="a")
    hits = [faults.hitting(row, known_driver=True, station_is_safe=True) for row in DAY.rows]
    assert hits == [faults.hitting(row, known_driver=True, station_is_safe=True) for row in DAY.rows]
    assert 0.4 < sum(Fault.RESEND in hit for hit in hits) / len(hits) < 0.6
    spared = [faults.hitting(row, known_driver=False, station_is_safe=False) for row in DAY.rows]
    assert not any({Fault.OFFLINE, Fault.STOP_BEFORE_START} & hit for hit in spared)


def test_the_platform_is_told_what_it_must_have() -> None:
    """Everything is there to be created, and nothing twice."""
    needs = plan.provisioning(DAY, "secret", INCIDENTS)
    codes = [evse.code for station in needs.stations for evse in station.evses]
    assert (len(needs.sites), len(needs.stations), len(codes), len(needs.drivers)) == (19, 43, 72, 156)
    assert len(set(codes)) == 72
    assert len({driver.token.casefold() for driver in needs.drivers}) == 156
    assert all(len(driver.token) <= 20 for driver in needs.drivers)
    assert {station.site for station in needs.stations} == {site.name for site in needs.sites}
    assert sum(driver.card_declines for driver in needs.drivers) == 1
    assert all(16 <= len(station.key) <= 40 for station in needs.stations)


def test_keys_depend_on_the_secret() -> None:
    """No station of another run, and no reader of the source, knows the key."""
    first, second = (plan.provisioning(DAY, secret, {}).stations for secret in ("a", "b"))
    assert all(one.key != other.key for one, other in zip(first, second, strict=True))
    assert len({station.key for station in first}) == 43


def test_a_row_has_one_transaction_id_for_ever() -> None:
    """2.0.1 stations name their transactions; a replay must not name new ones."""
    ids = [plan.transaction_of(row) for row in DAY.rows]
    assert len(set(ids)) == 262
    assert all(len(one) == 36 for one in ids)
