"""What is held is worked off: by a person with one decision, by rules up to a sum, and each decision is recorded."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.metering.session import Reason, SessionState
from tallywatt.workflows.boot_station import boot_station
from tallywatt.workflows.listen import to_inbox
from tallywatt.workflows.put_rule import EndRule, PutProfile, PutRule, end_rule, put_profile, put_rule
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.unplug import unplug
from tallywatt.workflows.work_off import WorkOffAll, asked_by, more_asked_by, work_off, work_off_all, work_off_more
from tests.workflows.house_of import HouseOf, Wire, kwh
from tests.workflows.test_market_prices import follow_the_market

if TYPE_CHECKING:
    from tallywatt.metering.session import InboxItem, Session
    from tallywatt.workflows.ports import UnitOfWork


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
    assert resolved.resolution == "accept: this month (ordered by test)"


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
    house.do(put_rule, PutRule("stops", "unknown_transaction", Decision.MATCH, 1_000))
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


def test_a_stop_that_would_bill_more_than_the_cap_waits_for_a_person(quick_house: HouseOf) -> None:
    """8 kWh cost 2.40: a match is a decision about money, too."""
    house = quick_house
    house.do(put_rule, PutRule("stops", "unknown_transaction", Decision.MATCH, 239))
    wire = house.wire()
    transaction = wire.start(meter=kwh(1))
    house.later(60)
    wire.stop(-1, kwh(9))
    run_jobs(house)
    assert house.session(transaction).is_open
    house.do(put_rule, PutRule("stops", "unknown_transaction", Decision.MATCH, 240))
    run_jobs(house)
    [invoice] = house.rows.invoices.by()
    assert invoice.gross_minor == 240
    house.adds_up()


def test_the_cap_counts_what_the_next_start_told_of_a_lost_stop(house: HouseOf) -> None:
    """The readings show 5 kWh; the register of the next start says that 7 are billed: 2.10."""
    wire = house.wire()
    transaction = wire.start(meter=0)
    wire.sample(transaction, (house.later(30), kwh(5)))
    house.later(30)
    wire.start(meter=kwh(7))
    for most, state in ((209, SessionState.HELD), (210, SessionState.BILLED)):
        house.do(put_rule, PutRule("lost", "lost_stop", Decision.RELEASE, most))
        run_jobs(house)
        assert house.session(transaction).state is state
    [invoice] = house.rows.invoices.by()
    assert invoice.gross_minor == 210
    house.adds_up()


def test_what_is_given_up_is_all_that_might_have_been_billed(quick_house: HouseOf) -> None:
    """The register fell: 3 kWh are beyond doubt, and both counts together show 5, 1.50."""
    house = quick_house
    wire = house.wire()
    transaction = wire.start(meter=kwh(100))
    wire.sample(transaction, (house.later(10), kwh(103)), (house.later(10), kwh(1)), (house.later(10), kwh(1.5)))
    house.later(30)
    wire.stop(transaction, kwh(2))
    detail = the_item(house, "meter_reset").detail
    assert detail is not None
    assert (detail["measured_wh"], detail["proposed_wh"]) == ("5000", "3000")
    for most, state in ((149, SessionState.HELD), (150, SessionState.EXPLAINED)):
        house.do(put_rule, PutRule("small", "meter_reset", Decision.WRITE_OFF, most))
        run_jobs(house)
        assert house.session(transaction).state is state
    house.adds_up()


def test_a_decision_comes_once_whoever_takes_it(house: HouseOf) -> None:
    """Two workers take the same job, and a third one an order about the same item: one invoice, one record."""
    transaction = a_stop_without_register(house, house.wire())
    house.do(put_rule, PutRule("ends", "missing_energy", Decision.ACCEPT, 200))
    item = the_item(house, "missing_energy")
    writers = [house.writer, house.another_writer()]
    answers: list[object] = []
    commands = [asked_by(item.item_id, ""), asked_by(f"{item.item_id}/accept/200", "by hand")]
    for writer, command in zip(writers, commands, strict=True):
        writer.submit(house.operator, work_off, command, answers.append, actor="worker")
    threads = [threading.Thread(target=writer.step) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writers[1].stop()
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert house.session(transaction).state is SessionState.BILLED
    assert len(house.rows.invoices.by()) == 1
    assert len(house.rows.actions.by(subject_id=item.item_id)) == 1
    resolved = house.do(work_off, commands[0], actor="worker")
    assert resolved.version == house.rows.inbox.get(item.item_id).version
    house.adds_up()


def test_of_two_workers_with_two_items_of_one_session_one_decides(house: HouseOf) -> None:
    """Each holds its own item and wants the session: one comes first, and the other finds it decided."""
    wire = house.wire()
    transaction = a_stop_without_register(house, wire)
    session = house.session(transaction)
    house.do(put_second_item, session)
    orders = [f"{one.item_id}/write_off/500" for one in house.inbox()]
    assert len(orders) == 2
    writers = [house.writer, house.another_writer()]
    answers: list[object] = []
    for writer, order in zip(writers, orders, strict=True):
        writer.submit(house.operator, work_off, asked_by(order, "both"), answers.append, actor="worker")
    threads = [threading.Thread(target=writer.step) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writers[1].stop()
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert house.inbox() == []
    assert [one.action for one in house.rows.actions.by(subject_id=session.session_id)] == ["session.write_off"]
    house.adds_up()


def put_second_item(work: UnitOfWork, session: Session) -> None:
    """The same session, listed for another reason too."""
    to_inbox(work, "implausible", "another doubt", session.session_id, session_id=session.session_id)


def test_what_is_accepted_while_its_price_is_awaited_is_asked_about_again(quick_house: HouseOf) -> None:
    """The energy is decided, the price is not: a new item is open, and the old one is closed."""
    house = quick_house
    follow_the_market(house, missing="hold")
    transaction = a_stop_without_register(house, house.wire())
    house.do(resolve_item, ResolveItem(the_item(house, "missing_energy").item_id, Decision.ACCEPT))
    assert house.session(transaction).state is SessionState.HELD
    [item] = house.inbox()
    assert item.kind == "price_awaited"
    house.do(resolve_item, ResolveItem(item.item_id, Decision.ACCEPT))
    assert house.session(transaction).state is SessionState.BILLED
    assert house.inbox() == []
    house.adds_up()


def test_an_order_goes_on_behind_what_stays_with_a_person(
    quick_house: HouseOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of what waits first is beyond the cap: all of it is looked at."""
    monkeypatch.setattr("tallywatt.workflows.work_off.MOST_AT_ONCE", 2)
    house = quick_house
    for number, energy in enumerate((9, 9, 1, 1, 1)):
        a_stop_without_register(house, house.station(f"S{number}"), kwh(energy))
    assert house.do(work_off_all, WorkOffAll("missing_energy", Decision.ACCEPT, 100, "small ones")) == 5
    done_with: set[str] = set()
    while more := [one for one in house.rows.stored_jobs.by(kind="work_off_more") if one.subject_id not in done_with]:
        for job in more:
            done_with.add(job.subject_id)
            house.do(work_off_more, more_asked_by(job.subject_id, job.payload), actor="worker")
    run_jobs(house)
    assert len(house.inbox("missing_energy")) == 2
    resolved = house.rows.inbox.by(state="resolved")
    assert {one.resolution for one in resolved} == {"accept: small ones (ordered by test)"}
    assert len(resolved) == 3
    with pytest.raises(BadInput):
        house.do(work_off_all, WorkOffAll("missing_energy", Decision.ACCEPT, 100, "x" * 201))
