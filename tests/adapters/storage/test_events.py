"""Events: dense versions of each aggregate, dense positions of all, and every consumer sees each exactly once, in order."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.storage import sequencer
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.sequencer import consume, events_after, give_positions
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.events import Event
from tests.workflows.house_of import HouseOf

if TYPE_CHECKING:
    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.events import RecordedEvent
    from tallywatt.workflows.ports import UnitOfWork

WRITERS = 8
EVENTS = 2000


def happen(work: UnitOfWork, aggregate_ids: tuple[str, ...]) -> None:
    """Write one event for each of these aggregates; one that several writers share is locked first, as RULES §2 has it."""
    if "shared" in aggregate_ids:
        work.operators.lock()
    for aggregate_id in aggregate_ids:
        work.events.append(Event("thing", aggregate_id, "ThingHappened", {"of": aggregate_id}))


def versions(house: HouseOf, aggregate_id: str) -> list[int]:
    """The versions of one aggregate."""
    rows = house.reader.execute(
        f"SELECT version FROM events WHERE aggregate = 'thing' AND aggregate_id = '{aggregate_id}' ORDER BY version"
    )
    return [row[0] for row in rows]


def test_each_aggregate_counts_its_own_versions(house: HouseOf) -> None:
    """Dense from 1, also when one command writes several, and across commands."""
    house.do(happen, ("a", "b", "a"))
    house.do(happen, ("a", "b"))

    assert versions(house, "a") == [1, 2, 3]
    assert versions(house, "b") == [1, 2]


def test_an_event_says_who_and_why_and_when_on_both_clocks(house: HouseOf) -> None:
    """Actor, cause, business time and machine time travel with it."""
    answers: list[object] = []
    house.writer.submit(house.operator, happen, ("a",), answers.append, actor="key:7", cause="because")
    house.writer.step()
    _sequence(house)

    [event] = [one for one in events_after(house.reader, 0) if one.event.type == "ThingHappened"]
    assert (event.actor, event.cause, event.booked_at, event.recorded_at) == ("key:7", "because", house.now, house.now)
    assert event.event == Event("thing", "a", "ThingHappened", {"of": "a"})


def test_eight_writers_and_two_thousand_events_are_seen_once_each_in_order(postgresql_house_url: str) -> None:
    """A cursor over drawn numbers missed a third of them (measured): positions are given after the commit."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        done = threading.Event()
        seen: dict[str, list[RecordedEvent]] = {"pages": [], "webhooks": []}
        writers = [threading.Thread(target=_write, args=(house, mine)) for mine in range(WRITERS)]
        others = [threading.Thread(target=_give, args=(postgresql_house_url, done))]
        others += [threading.Thread(target=_read, args=(postgresql_house_url, *one, done)) for one in seen.items()]
        for thread in (*writers, *others):
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in others:
            thread.join()
        _sequence(house)
        for consumer, so_far in seen.items():
            _consume_all(postgresql_house_url, consumer, so_far)

        for events in seen.values():
            things = [one for one in events if one.event.aggregate == "thing"]
            assert len(things) == len({one.event_id for one in things}) == EVENTS
            assert [one.position for one in events] == [*range(1, len(events) + 1)]
            _assert_versions_in_order(things)


def _write(house: HouseOf, mine: int) -> None:
    writer = house.another_writer()
    for place in range(0, EVENTS // WRITERS, 5):
        ids = (f"own-{mine}", "shared", f"own-{mine}", f"new-{mine}-{place}", f"own-{mine}")
        writer.submit(house.operator, happen, ids, _nobody, actor="test")
        if place % 25 == 20:
            writer.step()
    while writer.step():
        pass
    writer.stop()


def _nobody(answer: object) -> None:
    assert answer is None, answer


def _give(url: str, done: threading.Event) -> None:
    connection = connect(url)
    while not done.is_set():
        give_positions(connection)
        done.wait(0.002)
    connection.close()


def _read(url: str, consumer: str, into: list[RecordedEvent], done: threading.Event) -> None:
    connection = connect(url)
    while not done.is_set():
        consume(connection, consumer, _keep(into))
        done.wait(0.002)
    connection.close()


def _keep(into: list[RecordedEvent]) -> Any:
    return lambda _, events: into.extend(events)


def _consume_all(url: str, consumer: str, into: list[RecordedEvent]) -> None:
    connection = connect(url)
    while consume(connection, consumer, _keep(into)):
        pass
    connection.close()


def _assert_versions_in_order(events: list[RecordedEvent]) -> None:
    last: dict[str, int] = {}
    for one in events:
        assert one.version == last.get(one.event.aggregate_id, 0) + 1
        last[one.event.aggregate_id] = one.version


def test_positions_keep_the_order_of_versions_when_clocks_differ(postgresql_house_url: str) -> None:
    """The machine that wrote second has a clock that is an hour behind."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        house.later(60)
        house.do(happen, ("a", "b"))
        house.now = Instant(house.now - 3_600_000)
        house.do(happen, ("a",))
        _sequence(house)

        things = [one for one in events_after(house.reader, 0) if one.event.aggregate == "thing"]
        assert [(one.event.aggregate_id, one.version) for one in things if one.event.aggregate_id == "a"] == [
            ("a", 1),
            ("a", 2),
        ]


def test_positions_are_given_in_batches_without_a_gap(
    postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a busy time more waits than fits into one transaction."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        house.do(happen, tuple(f"t{place}" for place in range(sequencer.BATCH + 5)))
        _sequence(house)

        rows = house.reader.execute("SELECT position FROM events ORDER BY position")
        assert [row[0] for row in rows] == [*range(1, len(rows) + 1)]


def test_a_cursor_moves_only_with_its_effect(house: HouseOf) -> None:
    """A consumer that fails sees the same events again, and none twice after it succeeded."""
    house.do(happen, ("a",))
    _sequence(house)
    connection = connect(house.url)
    tried: list[int] = []

    def fail(_: Connection, events: list[RecordedEvent]) -> None:
        tried.append(len(events))
        msg = "the page is gone"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError):
        consume(connection, "pages", fail)
    seen: list[RecordedEvent] = []
    assert consume(connection, "pages", _keep(seen)) == tried[0]
    assert consume(connection, "pages", _keep(seen)) == 0
    assert len({one.event_id for one in seen}) == len(seen)
    connection.close()


def _sequence(house: HouseOf) -> None:
    connection = connect(house.url)
    while give_positions(connection):
        pass
    connection.close()
