"""The steps of a session, honest and faulty."""

from __future__ import annotations

import json

import pytest
from ocpp.charge_point import remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.messages import Call, _validate_payload

from tallywatt.simulators.site import plan, sample
from tallywatt.simulators.site.plan import Fault, Incident, Play, Protocol
from tallywatt.simulators.site.timeline import OF_TRANSACTION_201, Kind, timeline
from tallywatt.simulators.site.words import Speaking, payload_of

DAY = sample.read()


def a_play(protocol: Protocol, incident: Incident | None = None, *faults: Fault) -> Play:
    """A session of some hours on a station that speaks that protocol."""
    row = next(
        row for row in DAY.rows if plan.protocol_of(row.station) is protocol and len(plan.sample_times(row)) >= 4
    )
    register = plan.first_register(row.station, row.connector)
    return plan.plan_row(row, register, incident, frozenset(faults))


def kinds(play: Play, *, paid_ad_hoc: bool = False) -> list[Kind]:
    return [step.kind for step in timeline(play, paid_ad_hoc=paid_ad_hoc)]


def test_an_honest_session_is_told_in_order() -> None:
    """Card, plug, start, values, stop, and free again."""
    told = kinds(a_play(Protocol.V16))
    assert told[:4] == [Kind.AUTHORIZE, Kind.PREPARING, Kind.START, Kind.CHARGING]
    assert told[-3:] == [Kind.STOP, Kind.FINISHING, Kind.AVAILABLE]
    assert set(told[4:-3]) <= {Kind.SAMPLE, Kind.SUSPENDED}


def test_who_paid_at_the_door_shows_no_card() -> None:
    """The remote start was the authorisation."""
    assert Kind.AUTHORIZE not in kinds(a_play(Protocol.V16), paid_ad_hoc=True)


def test_a_lost_stop_leaves_a_start_and_some_values() -> None:
    """Nothing later is ever told: what is missing shows in the next session's register alone."""
    play = a_play(Protocol.V16, Incident.LOST_STOP)
    told = kinds(play)
    assert told[-1] is Kind.POWER_LOST
    assert Kind.STOP not in told
    assert 0 < told.count(Kind.SAMPLE) < len(play.samples)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_stop_that_overtakes_its_start_keeps_its_own_time(protocol: Protocol) -> None:
    """Told late and in disorder, but each fact says when it was; 1.6 can say an unknown transaction alone."""
    play = a_play(protocol, None, Fault.STOP_BEFORE_START)
    steps = [step for step in timeline(play, paid_ad_hoc=False) if step.reading is not None]
    first = Kind.STOP_UNKNOWN if protocol is Protocol.V16 else Kind.STOP
    assert [step.kind for step in steps[:2]] == [first, Kind.START]
    assert steps[1].at == play.begin.at
    assert all(step.told_at == play.end.at for step in steps)
    assert sum(step.kind is Kind.STOP for step in steps) == 1


def test_events_of_201_are_counted_without_a_gap_whatever_happens() -> None:
    """A platform asks for what is missing between two numbers."""
    for faults in ((), (Fault.OFFLINE,), (Fault.STOP_BEFORE_START,)):
        steps = timeline(a_play(Protocol.V201, None, *faults), paid_ad_hoc=False)
        numbers = sorted(step.number for step in steps if step.kind in OF_TRANSACTION_201)
        assert numbers == list(range(len(numbers)))


def test_what_an_offline_station_kept_says_so() -> None:
    """2.0.1 has a flag for it; the start was still told in time."""
    steps = timeline(a_play(Protocol.V201, None, Fault.OFFLINE), paid_ad_hoc=False)
    flags = {step.kind: step.offline for step in steps if step.kind in OF_TRANSACTION_201}
    assert not flags.pop(Kind.START)
    assert all(flags.values())


@pytest.mark.parametrize("row", DAY.rows[::7], ids=lambda row: row.id)
def test_every_message_is_valid_and_no_figure_loses_a_digit(row: sample.Row) -> None:
    """The package rounds Decimals to one place: registers must arrive to the milliwatt-hour all the same."""
    play = plan.plan_row(row, plan.first_register(row.station, row.connector), None, frozenset())
    speaking = Speaking(play, "04A1B2C3D4E5F6", transaction_16=12)
    version = play.protocol.value.removeprefix("ocpp")
    for step in timeline(play, paid_ad_hoc=False):
        payload = payload_of(speaking, step)
        if payload is None:
            continue
        body = remove_nones(snake_to_camel_case(serialize_as_dict(payload)))
        call = Call("1", type(payload).__name__, body)
        _validate_payload(call, version)
        if step.reading is not None and play.protocol is Protocol.V201:
            shown = json.loads(call.to_json())[3]["meterValue"][0]["sampledValue"][0]["value"]
            assert round(shown * 1000) == step.reading.register
