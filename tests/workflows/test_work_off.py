"""What is held is worked off: by a person with one decision, by rules up to a sum, and each decision is recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.metering.session import Reason, SessionState
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.put_rule import EndRule, PutProfile, PutRule, end_rule, put_profile, put_rule
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.unplug import unplug
from tallywatt.workflows.work_off import WorkOffAll, asked_by, work_off, work_off_all
from tests.workflows.house_of import HouseOf, Wire, kwh

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem


def run_jobs(house: HouseOf) -> int:
    """The worker does what waits in line."""
    jobs = [one for one in house.rows.stored_jobs.by(kind="work_off") if one.state == "ready"]
    for job in jobs:
        house.do(work_off, asked_by(job.subject_id, str(job.payload.get("note", ""))), actor="worker")
    return len(jobs)


def a_stop_without_register(house: HouseOf, wire: Wire, energy: int = kwh(4)) -> str:
    """A session of which nobody has seen the last ten minutes."""
    transaction = wire.start(meter=0)
    wire.sample(transaction, (house.later(30), energy))
    house.do(unplug, replace(wire.stopped(transaction, house.later(10), -1_000), meter_stop=None))
    return transaction


def the_item(house: HouseOf, kind: str) -> InboxItem:
    [item] = house.inbox(kind)
    return item


def test_the_item_of_a_held_session_says_why_and_what_is_proposed(house: HouseOf) -> None:
    """Whoever decides needs no other page."""
    wire = house.wire()
    transaction = a_stop_without_register(house, wire)
    detail = the_item(house, "missing_energy").detail
    assert detail is not None
    assert detail["proposed_wh"] == "4000"
    assert detail["breaches"] == [{"rule": "is_measured", "says": "no register was told for the last 10 minutes"}]
    assert house.session(transaction).state is SessionState.HELD
    house.adds_up()


def test_a_proposal_is_accepted_and_the_rest_is_explained(house: HouseOf) -> None:
    """What the meter shows is not taken back: it is explained, to the last milliwatt-hour."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(1))
    wire.sample(transaction, (house.later(30), kwh(4000)))
    house.later(30)
    wire.stop(transaction, kwh(9))
    item = the_item(house, "meter_reset")
    assert item.detail is not None
    assert item.detail["proposed_by"] == "values_are_wh"

    house.do(resolve_item, ResolveItem(item.item_id, Decision.ACCEPT))

    session = house.session(transaction)
    assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, kwh(8))
    rows = house.rows.explanations.by(session_id=session.session_id)
    assert {one.reason for one in rows if one.reason is not Reason.METER_RESET} == {Reason.METER_CORRECTED}
    house.adds_up()


def test_a_rule_bills_what_is_within_its_cap_and_leaves_the_rest_to_a_person(house: HouseOf) -> None:
    """4 kWh cost 1.20, 20 kWh 6.00; the rule decides up to 2.00."""
    house.do(put_rule, PutRule("ends", "missing_energy", Decision.ACCEPT, 200))
    small = a_stop_without_register(house, house.wire())
    large = a_stop_without_register(house, house.station("CP2", max_watts=150_000), kwh(20))

    assert run_jobs(house) == 2

    found = {one.station_id: one for one in house.rows.sessions.by()}
    states = [one.state for one in found.values()]
    assert sorted(states) == [SessionState.BILLED, SessionState.HELD]
    assert small == large  # numbers of two stations
    [left] = house.inbox()
    assert left.kind == "missing_energy"
    [resolved] = house.rows.inbox.by(state="resolved")
    assert (resolved.resolution, resolved.resolved_by) == ("accept: by rule ends", "worker")
    assert [one.action for one in house.rows.actions.by(subject_id=resolved.item_id)] == ["inbox.resolve"]
    house.adds_up()


def test_a_rule_looks_at_what_waits_already_and_at_nothing_once_it_has_ended(house: HouseOf) -> None:
    """Seven hundred items are worked off by one sentence."""
    a_stop_without_register(house, house.wire())
    house.do(put_rule, PutRule("ends", "missing_energy", Decision.WRITE_OFF, 200))
    assert run_jobs(house) == 1
    assert house.inbox() == []
    house.do(end_rule, EndRule("ends"))
    a_stop_without_register(house, house.wire())
    assert len(house.inbox("missing_energy")) == 1
    house.adds_up()


def test_a_bulk_order_decides_once_about_all_of_a_kind(house: HouseOf) -> None:
    """Without a rule that stays, and still within a cap."""
    a_stop_without_register(house, house.wire())
    assert house.do(work_off_all, WorkOffAll("missing_energy", Decision.ACCEPT, 100, "this month")) == 1
    run_jobs(house)
    assert len(house.inbox("missing_energy")) == 1
    house.do(work_off_all, WorkOffAll("missing_energy", Decision.ACCEPT, 200, "this month"))
    run_jobs(house)
    assert house.inbox() == []
    [resolved] = house.rows.inbox.by(state="resolved")
    assert resolved.resolution == "accept: this month"


def test_no_rule_bills_somebody_who_is_not_known(house: HouseOf) -> None:
    """Nobody would pay, and the item would be gone."""
    house.do(put_rule, PutRule("strangers", "unknown_payer", Decision.RELEASE, 10_000))
    house.wire().charge(kwh(4), token="NOBODY")
    assert run_jobs(house) == 1
    assert [one.kind for one in house.inbox()] == ["unknown_payer"]


@pytest.mark.parametrize(
    ("kind", "decision", "most"),
    [("missing_energy", Decision.DISMISS, 1), ("stop_differs", Decision.ACCEPT, 1), ("lost_stop", Decision.ACCEPT, -1)],
)
def test_what_no_rule_may_decide_is_refused(house: HouseOf, kind: str, decision: Decision, most: int) -> None:
    """A rule is read once, and works for years."""
    with pytest.raises(BadInput):
        house.do(put_rule, PutRule("bad", kind, decision, most))


def test_a_profile_reads_the_registers_of_a_model_aright(house: HouseOf) -> None:
    """From then on its sessions are billed by themselves."""
    wire = house.wire()
    house.do(put_profile, PutProfile("maker", vendor="maker", habits={"values_over": 1000}))
    house.do(boot_station, wire.booted())
    transaction = wire.start(meter=kwh(1))
    wire.sample(transaction, (house.later(30), kwh(4000)))
    house.later(30)
    wire.stop(transaction, kwh(9))
    session = house.session(transaction)
    assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, kwh(8))
    house.adds_up()


@pytest.mark.parametrize(
    "habits", [{"no_such": 1}, {"counts": "moons"}, {"values_over": 0}, {"values_over": True}, {"zero_is_nothing": 1}]
)
def test_habits_that_cannot_be_meant_are_refused(house: HouseOf, habits: dict[str, Any]) -> None:
    """A wrong scale would be a thousand times the bill."""
    with pytest.raises(BadInput):
        house.do(put_profile, PutProfile("maker", vendor="maker", habits=habits))
    with pytest.raises(BadInput):
        house.do(put_profile, PutProfile("everybody", habits={}))


def test_a_stop_that_waits_is_matched_with_the_session_that_is_suggested(house: HouseOf) -> None:
    """Its station never learned the number: minus one, and the only open session of that card."""
    wire = house.wire()
    transaction = wire.start(meter=kwh(1))
    house.later(60)
    wire.stop(-1, kwh(9), token="CARD1")
    item = the_item(house, "unknown_transaction")
    assert item.detail is not None
    assert item.detail["candidates"] == [house.session(transaction).session_id]

    house.do(resolve_item, ResolveItem(item.item_id, Decision.MATCH))

    session = house.session(transaction)
    assert (session.state, session.milliwatt_hours) == (SessionState.BILLED, kwh(8))
    assert house.inbox() == []
    house.adds_up()
    wire.stop(transaction, kwh(9), at=session.transaction_ended_at)
    assert house.inbox() == []


def test_a_rule_matches_a_stop_that_fits_one_session_alone(house: HouseOf) -> None:
    """With two it is for a person, who names the one."""
    house.do(put_rule, PutRule("stops", "unknown_transaction", Decision.MATCH, 0))
    wire = house.wire()
    first = wire.start(meter=kwh(1))
    house.later(60)
    wire.stop(-1, kwh(9))
    run_jobs(house)
    assert house.session(first).state is SessionState.BILLED

    second, third = wire.start(meter=kwh(9)), wire.start(meter=0, evse=2)
    house.later(60)
    wire.stop(-1, kwh(12))
    run_jobs(house)
    item = the_item(house, "unknown_transaction")
    with pytest.raises(BadInput):
        house.do(resolve_item, ResolveItem(item.item_id, Decision.MATCH))
    ended = ResolveItem(item.item_id, Decision.MATCH, session_id=house.session(first).session_id)
    with pytest.raises(Conflict):
        house.do(resolve_item, ended)
    named = ResolveItem(item.item_id, Decision.MATCH, session_id=house.session(second).session_id)
    house.do(resolve_item, named)
    assert house.session(second).milliwatt_hours == kwh(3)
    assert house.session(third).is_open
    house.adds_up()
