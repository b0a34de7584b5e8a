"""The writer: answers only after the commit, one bad command spoils no other, and running again gives the same."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tallywatt.adapters.storage import writer as writer_module
from tallywatt.adapters.storage.connections import PostgresConnection, SqliteConnection, connect
from tallywatt.adapters.storage.store import READERS, Store, take_write_lock
from tallywatt.adapters.storage.writer import GROUP_COMMANDS, GROUP_WANTED, PATIENCE_TIMES, GroupWriter
from tallywatt.customers.customer import Customer
from tallywatt.kernel.errors import Broken, Busy, Conflict, SecondWriter
from tallywatt.kernel.events import Event
from tests.workflows.house_of import INSTALLATION_KEY, OPERATOR, HouseOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.workflows.ports import UnitOfWork


def put_customer(work: UnitOfWork, reference: str) -> str:
    """A small workflow: one row, one event."""
    row = Customer(work.draw.id(reference), reference, "en", work.now)  # type: ignore[arg-type]  # the id is a str
    if not work.customers.add(row):
        raise Conflict(reference)
    work.events.append(Event("customer", row.customer_id, "CustomerAdded"))
    return row.customer_id


def write_then_fail(work: UnitOfWork, reference: str) -> None:
    """It has written something before it finds out that it must not."""
    put_customer(work, reference)
    msg = "not after all"
    raise Conflict(msg)


def write_then_break(work: UnitOfWork, reference: str) -> None:
    """A bug in a workflow."""
    put_customer(work, reference)
    msg = "a bug"
    raise ZeroDivisionError(msg)


def stored(house: HouseOf) -> set[str]:
    """References of the customers that are durable, seen from another connection."""
    return {row.reference for row in house.rows.customers.by()}


def submit(house: HouseOf, *orders: tuple[Callable[[Any, Any], Any], object]) -> list[Any]:
    """Queue commands as one group and run it; the answers in order."""
    answers: list[Any] = [None] * len(orders)
    for place, (workflow, command) in enumerate(orders):

        def keep(answer: Any, place: int = place) -> None:
            answers[place] = answer

        house.writer.submit(house.operator, workflow, command, keep, actor="test")
    while house.writer.step():
        pass
    return answers


def test_whatever_breaks_everybody_is_answered_and_the_writer_goes_on(
    quick_house: HouseOf, sqlite_house_url: str
) -> None:
    """A row of the machinery is gone, which nobody foresaw: a writer that died of it kept stations and SIGTERM waiting."""
    connection = connect(sqlite_house_url)
    [(position,)] = connection.execute("SELECT last_position FROM sequencer")
    connection.execute("DELETE FROM sequencer")

    broken = submit(quick_house, (put_customer, "N1"), (put_customer, "N2"))
    connection.execute("INSERT INTO sequencer (name, last_position) VALUES ('events', ?)", (position,))
    connection.close()
    mended = submit(quick_house, (put_customer, "N3"))

    assert [type(answer) for answer in broken] == [Broken, Broken]
    assert isinstance(mended[0], str)
    assert stored(quick_house) & {"N1", "N2", "N3"} == {"N3"}


def test_nobody_is_answered_before_the_commit(house: HouseOf) -> None:
    """What a station was told is durable, whatever is killed: another connection sees it when the answer comes."""
    seen: list[bool] = []
    house.writer.submit(house.operator, put_customer, "C2", lambda _: seen.append("C2" in stored(house)), actor="test")
    assert "C2" not in stored(house)

    house.writer.step()

    assert seen == [True]


class Arriving:
    """A pause during which others ask for something: so many each time, numbered on."""

    def __init__(self, house: HouseOf, each_time: int) -> None:
        self.house, self.each_time, self.asked, self.pauses = house, each_time, 0, 0

    def ask(self, many: int) -> None:
        """So many commands of others, all at once."""
        for _ in range(many):
            self.asked += 1
            name = f"G{self.asked}"
            self.house.writer.submit(self.house.operator, put_customer, name, lambda _: None, actor="test")

    def __call__(self, seconds: float) -> None:
        assert seconds > 0
        self.pauses += 1
        self.ask(self.each_time)


def test_somebody_alone_never_waits_for_others(quick_house: HouseOf) -> None:
    """One who asks only after the last answer would pay the pause each time, and nobody would gain by it."""
    arriving = Arriving(quick_house, 0)

    for _ in range(3):
        arriving.ask(1)
        assert quick_house.writer.turn(arriving) == 1

    assert arriving.pauses == 0


@pytest.mark.parametrize(
    ("each_time", "group", "pauses"),
    [(0, 2, 1), (1, 2 + PATIENCE_TIMES, PATIENCE_TIMES), (GROUP_WANTED, 2 + GROUP_WANTED, 1)],
    ids=["as soon as nobody comes any more", "as soon as they waited long enough", "as soon as it is worth a commit"],
)
def test_where_many_ask_a_group_fills_and_goes(quick_house: HouseOf, each_time: int, group: int, pauses: int) -> None:
    """Calls that come one a millisecond paid a commit each: twice the work a call, and a queue that grew."""
    Arriving(quick_house, 0).ask(2)
    quick_house.writer.turn(Arriving(quick_house, 0))
    arriving = Arriving(quick_house, each_time)
    arriving.asked = 2
    arriving.ask(2)

    assert quick_house.writer.turn(arriving) == group

    assert arriving.pauses == pauses


def test_a_command_that_fails_takes_nothing_with_it(house: HouseOf) -> None:
    """Its own rows are gone, the others of the group are there, each with its own answer."""
    answers = submit(
        house,
        (put_customer, "A"),
        (write_then_fail, "B"),
        (put_customer, "C"),
        (write_then_break, "D"),
        (put_customer, "E"),
    )

    assert stored(house) == {"C1", "A", "C", "E"}
    assert isinstance(answers[1], Conflict)
    assert isinstance(answers[3], Broken)
    assert isinstance(answers[3].__cause__, ZeroDivisionError)


def test_events_of_failed_commands_leave_no_hole_in_the_positions(quick_house: HouseOf) -> None:
    """On SQLite the writer gives the positions itself."""
    submit(quick_house, (put_customer, "A"), (write_then_fail, "B"), (put_customer, "C"))

    rows = quick_house.reader.execute("SELECT position FROM events ORDER BY position")
    assert [row[0] for row in rows] == [*range(1, len(rows) + 1)]


def test_a_command_finds_what_the_one_before_it_in_the_group_wrote(house: HouseOf) -> None:
    """A resend in the same group is a resend."""
    answers = submit(house, (put_customer, "A"), (put_customer, "A"))

    assert isinstance(answers[0], str)
    assert isinstance(answers[1], Conflict)
    assert stored(house) == {"C1", "A"}


def test_many_commands_go_in_groups_of_bounded_size(house: HouseOf) -> None:
    """One commit for many, and none waits for a group without end."""
    before = house.writer.groups
    submit(house, *[(put_customer, f"N{place}") for place in range(GROUP_COMMANDS + 1)])

    assert house.writer.groups - before == 2
    assert len(stored(house)) == GROUP_COMMANDS + 2


def test_a_full_disk_answers_nobody_wrongly(sqlite_house_url: str) -> None:
    """A full disk inside a savepoint rolls the whole group back: whoever is told yes is there, whoever is told no is not."""
    with HouseOf(sqlite_house_url) as house:
        house.furnish()
        pages = house.reader.execute("PRAGMA page_count")[0][0]
        bounded = _writer_with(house, lambda connection: connection.execute(f"PRAGMA max_page_count={pages + 16}"))
        answers: dict[str, Any] = {}
        for place in range(GROUP_COMMANDS):
            reference = f"R{place}-{'x' * 800}"
            bounded.submit(
                house.operator,
                put_customer,
                reference,
                partial(answers.__setitem__, reference),
                actor="t",
            )
        while bounded.step():
            pass
        bounded.stop()

        yes = {reference for reference, answer in answers.items() if isinstance(answer, str)}
        no = {reference for reference, answer in answers.items() if isinstance(answer, Exception)}
        assert yes
        assert no
        assert stored(house) - {"C1"} == yes
        assert len(answers) == GROUP_COMMANDS


def _writer_with(house: HouseOf, prepare: Callable[[SqliteConnection], object]) -> GroupWriter:
    def open_prepared() -> SqliteConnection:
        connection = connect(house.url)
        assert isinstance(connection, SqliteConnection)
        prepare(connection)
        return connection

    return GroupWriter(open_prepared, house.draw)


class Rollbacks(SqliteConnection):
    """SQLite as it is with a full disk inside a savepoint: the statement fails, and the whole transaction is gone."""

    fails_on: str | None = None

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """Fail once on the row of one customer, and roll back as the engine would."""
        if self.fails_on is not None and self.fails_on in parameters:
            self.fails_on = None
            self.rollback()
            msg = "database or disk is full"
            raise sqlite3.OperationalError(msg)
        return super().change(sql, parameters)


def test_a_group_that_the_engine_rolled_back_runs_again_one_by_one(sqlite_house_url: str) -> None:
    """Without the check the commands before the full disk would be answered yes and be gone (RULES §2)."""
    with HouseOf(sqlite_house_url) as house:
        house.furnish()
        connection = Rollbacks(sqlite_house_url.removeprefix("sqlite:///"))
        connection.fails_on = "B"
        house.writer.stop()
        house.writer = GroupWriter(lambda: connection, house.draw)

        answers = submit(house, (put_customer, "A"), (put_customer, "B"), (put_customer, "C"))

        assert all(isinstance(answer, str) for answer in answers)
        assert stored(house) == {"C1", "A", "B", "C"}


def test_running_again_gives_the_same_ids(house: HouseOf) -> None:
    """Ids, time and chance are drawn once, with the command: a re-run is the same command."""
    tries: list[str] = []

    def twice(work: UnitOfWork, reference: str) -> str:
        tries.append(work.draw.id("anything"))
        if len(tries) == 1:
            raise sqlite3.OperationalError if house.url.startswith("sqlite") else psycopg.OperationalError
        return put_customer(work, reference)

    answers = submit(house, (twice, "A"))

    assert isinstance(answers[0], str)
    assert tries[0] == tries[1]


def test_a_lost_connection_is_replaced_and_the_command_runs_again(postgresql_house_url: str) -> None:
    """The server was restarted, or somebody has terminated our session."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        _terminate_all(house)

        assert house.do(put_customer, "A")
        assert stored(house) == {"C1", "A"}


def test_a_connection_lost_within_the_commit_is_answered_by_the_natural_key(postgresql_house_url: str) -> None:
    """Whether the commit happened is not known: the command runs again, and finds what it wrote."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        house.writer.stop()
        house.writer = GroupWriter(lambda: _LosesCommit(postgresql_house_url), house.draw)
        wire = house.wire()

        assert wire.start() == "1"
        assert len(house.rows.sessions.by()) == 1
        assert len(house.rows.station_facts.by()) == 1


class _LosesCommit(PostgresConnection):
    """The first commit arrives, and its answer does not."""

    lost = False

    def commit(self) -> None:
        super().commit()
        if not _LosesCommit.lost:
            _LosesCommit.lost = True
            self._connection.close()
            msg = "server closed the connection unexpectedly"
            raise psycopg.OperationalError(msg)


def _terminate_all(house: HouseOf) -> None:
    name = house.url.rpartition("/")[2]
    with psycopg.connect(house.url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
    house._reader = house._rows = None


def test_a_full_queue_says_busy(quick_house: HouseOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A station tries again; a queue without bound would end in memory."""
    monkeypatch.setattr(writer_module, "QUEUE_COMMANDS", 2)
    for reference in ("A", "B"):
        quick_house.writer.submit(OPERATOR, put_customer, reference, print, actor="test")

    with pytest.raises(Busy):
        quick_house.writer.submit(OPERATOR, put_customer, "C", print, actor="test")


def test_a_caller_who_is_gone_stops_nobody(house: HouseOf) -> None:
    """Its event loop was closed while it waited."""
    answers: list[object] = []

    def gone(_: object) -> None:
        msg = "Event loop is closed"
        raise RuntimeError(msg)

    house.writer.submit(house.operator, put_customer, "A", gone, actor="test")
    house.writer.submit(house.operator, put_customer, "B", answers.append, actor="test")
    house.writer.step()

    assert len(answers) == 1
    assert stored(house) == {"C1", "A", "B"}


def test_two_writers_on_one_row_never_lose_a_change(postgresql_house_url: str) -> None:
    """READ COMMITTED with locked rows and versions: 40 increments from two threads are 40."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        station_id = house.wire().station_id

        def count_up(work: UnitOfWork, _: object) -> None:
            counter = work.transaction_counters.lock(station_id)
            work.transaction_counters.put(replace(counter, last_transaction_id=counter.last_transaction_id + 1))

        barrier = threading.Barrier(2)
        failures: list[object] = []

        def run() -> None:
            writer = house.another_writer()
            barrier.wait()
            for _ in range(20):
                writer.submit(
                    house.operator, count_up, None, lambda one: failures.append(one) if one else None, actor="t"
                )
                writer.step()
            writer.stop()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert house.rows.transaction_counters.get(station_id).last_transaction_id == 40


def test_stopping_works_off_what_is_queued(house: HouseOf) -> None:
    """A clean end loses nothing that was accepted."""
    house.writer.start()
    answers: list[object] = []
    for place in range(10):
        house.writer.submit(house.operator, put_customer, f"N{place}", answers.append, actor="test")
    house.writer.stop()

    assert len(answers) == 10
    with pytest.raises(Busy):
        house.writer.submit(house.operator, put_customer, "late", answers.append, actor="test")


def test_a_second_process_may_not_write_to_the_same_file(sqlite_house_url: str) -> None:
    """A second writer would wait or fail at random; it is told who owns writing."""
    store = Store(sqlite_house_url, HouseOf(sqlite_house_url).draw, INSTALLATION_KEY)
    try:
        with pytest.raises(SecondWriter) as caught:
            take_write_lock(sqlite_house_url)
        assert "process" in caught.value.message
    finally:
        store.close()
    take_write_lock(sqlite_house_url).close()


async def test_a_store_writes_and_reads(house_url: str) -> None:
    """The store as the house uses it."""
    store = Store(house_url, HouseOf(house_url).draw, INSTALLATION_KEY)
    store.start()
    try:
        assert await store.write(OPERATOR, put_customer, "A", actor="test")
        assert store.write_now(OPERATOR, put_customer, "B", actor="test")
        with pytest.raises(Conflict):
            await store.write(OPERATOR, put_customer, "A", actor="test")
        rows = await store.read(lambda connection: connection.execute("SELECT count(*) FROM customers"))
        assert rows == [(2,)]
    finally:
        store.close()


async def test_whoever_asks_does_not_hear_of_a_restart_of_the_database(postgresql_house_url: str) -> None:
    """All lines of the readers are dead at once; every page that was open showed an error of ours."""
    store = Store(postgresql_house_url, HouseOf(postgresql_house_url).draw, INSTALLATION_KEY)

    def ask(connection: Connection) -> list[tuple[Any, ...]]:
        return connection.execute("SELECT 1")

    try:
        with ExitStack() as all_of_them:
            for _ in range(READERS):
                all_of_them.enter_context(store.reading()).execute("SELECT 1")
        _terminate_all(HouseOf(postgresql_house_url))

        with pytest.raises(Busy) as caught, store.reading() as connection:
            connection.execute("SELECT 1")
        assert caught.value.code == "storage.unavailable"
        assert store.ask(ask) == [(1,)]
        assert await store.read(ask) == [(1,)]
    finally:
        store.close()


def test_a_question_that_no_database_answers_is_a_fault_of_ours(house_url: str) -> None:
    """It must not be hidden behind a promise that it passes."""
    store = Store(house_url, HouseOf(house_url).draw, INSTALLATION_KEY)
    try:
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            store.ask(lambda connection: connection.execute("SELECT nothing FROM nowhere"))
    finally:
        store.close()
