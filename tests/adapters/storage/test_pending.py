"""What waits to be written is never missed: not by a question, another row, a second writer or the commit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tallywatt.adapters.storage.connections import PostgresConnection, SqliteConnection
from tallywatt.adapters.storage.pending import Pending
from tallywatt.adapters.storage.statements import statements_of
from tallywatt.adapters.storage.tables import metering, stations
from tallywatt.adapters.storage.unit import SqlUnitOfWork
from tallywatt.customers.customer import Customer
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.events import Event
from tallywatt.workflows.follow import follow
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.report_status import report_status
from tallywatt.workflows.unplug import unplug
from tests.adapters.storage.test_lists import fill
from tests.workflows.house_of import kwh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.storage.mapping import Mapping
    from tallywatt.workflows.ports import UnitOfWork
    from tests.spares import Spares
    from tests.workflows.house_of import HouseOf


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The statements that went out together, and for how many rows."""
    seen: list[tuple[str, int]] = []
    for kind in (SqliteConnection, PostgresConnection):
        change_batches = kind.change_batches

        def telling(self: Any, batches: Any, through: Any = change_batches) -> list[int]:
            seen.extend((sql, len(rows)) for sql, rows in batches)
            found: list[int] = through(self, batches)
            return found

        monkeypatch.setattr(kind, "change_batches", telling)
    return seen


def told_to_postgresql(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that go to the server from now on, by themselves or together."""
    asked: list[str] = []
    execute, ask_all = PostgresConnection.execute, PostgresConnection.ask_all

    def one(self: PostgresConnection, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return execute(self, sql, parameters)

    def many(self: PostgresConnection, questions: Any) -> list[list[tuple[Any, ...]]]:
        asked.extend(sql for sql, _ in questions)
        return ask_all(self, questions)

    monkeypatch.setattr(PostgresConnection, "execute", one)
    monkeypatch.setattr(PostgresConnection, "ask_all", many)
    return asked


def a_customer(work: UnitOfWork, reference: str) -> Customer:
    """A row whose key was drawn for it."""
    return Customer(work.draw.id(reference), reference, "en", work.now)  # type: ignore[arg-type]  # the id is a str


def together(house: HouseOf, *orders: tuple[Any, Any]) -> list[Any]:
    """Commands of one group; their answers."""
    answers: list[Any] = []
    for workflow, command in orders:
        house.writer.submit(house.operator, workflow, command, answers.append, actor="test")
    while house.writer.step():
        pass
    return answers


def test_a_burst_of_meter_values_is_one_statement_for_each_table(
    house: HouseOf, written: list[tuple[str, int]]
) -> None:
    """Thirty values of one session: thirty frames and readings in one go, and the session is written once."""
    wire = house.wire()
    transaction = wire.start()
    written.clear()

    facts = [wire.sampled(transaction, (house.later(10), kwh(step))) for step in range(1, 31)]
    together(house, *[(follow, fact) for fact in facts])

    rows = {
        sql.split(" (")[0].split(" SET")[0].replace("INSERT INTO ", "+").replace("UPDATE ", "~"): n
        for sql, n in written
    }
    assert rows == {"+frames": 30, "+meter_readings": 30, "~sessions": 1, "+running_sums": 1}
    [session] = house.rows.sessions.by()
    assert session.milliwatt_hours == kwh(30) - (session.meter_start or 0)


def test_a_question_sees_what_waits(house: HouseOf) -> None:
    """By key, by column, by what a row was and by what it has become."""
    found: list[Any] = []

    def ask(work: UnitOfWork, _: object) -> None:
        row = a_customer(work, "N1")
        work.customers.add_new(row)
        found.append([one.reference for one in work.customers.by(reference="N1")])
        changed = work.customers.put(replace(row, reference="N2"))
        found.append(work.customers.by(reference="N1"))
        found.append(work.customers.one_by(reference="N2"))
        found.append(work.customers.lock(row.customer_id))
        assert changed == found[2] == found[3]

    together(house, (ask, None))

    assert found[:2] == [["N1"], []]
    assert {one.reference for one in house.rows.customers.by()} == {"C1", "N2"}


def test_a_natural_key_that_was_given_up_is_free(house: HouseOf) -> None:
    """The change that frees it is written before the row that takes it."""

    def swap(work: UnitOfWork, _: object) -> bool:
        first = work.customers.one_by(reference="C1")
        assert first is not None
        work.customers.put(replace(first, reference="C0"))
        return work.customers.add(a_customer(work, "C1"))

    assert together(house, (swap, None)) == [True]
    assert {one.reference for one in house.rows.customers.by()} == {"C0", "C1"}


def test_a_drawn_row_that_is_there_after_all_takes_nothing_with_it(house: HouseOf) -> None:
    """Its natural key was taken: nobody is told yes, and the others of the group are there."""

    def add(work: UnitOfWork, reference: str) -> str:
        work.customers.add_new(a_customer(work, reference))
        return reference

    answers = together(house, (add, "N1"), (add, "C1"), (add, "N2"))

    assert [answer if isinstance(answer, str) else type(answer) for answer in answers][::2] == ["N1", "N2"]
    assert isinstance(answers[1], Exception)
    assert {one.reference for one in house.rows.customers.by()} == {"C1", "N1", "N2"}


def test_a_failed_command_leaves_nothing_waiting(house: HouseOf) -> None:
    """What it was about to write goes with it, and what the others were about to write stays."""

    def add(work: UnitOfWork, reference: str) -> None:
        row = a_customer(work, reference)
        work.customers.add_new(row)
        work.events.append(Event("customer", row.customer_id, "CustomerAdded"))
        work.jobs.add(Job("bench", reference))
        if reference == "N2":
            raise Conflict(reference)

    answers = together(house, (add, "N1"), (add, "N2"), (add, "N3"))

    assert [type(answer) for answer in answers] == [type(None), Conflict, type(None)]
    assert {one.reference for one in house.rows.customers.by()} == {"C1", "N1", "N3"}
    assert {one.subject_id for one in house.rows.stored_jobs.by(kind="bench")} == {"N1", "N3"}
    told = house.reader.execute("SELECT type FROM events WHERE type = 'CustomerAdded' AND actor = 'test'")
    assert len(told) >= 2


def test_machinery_sees_what_waits(house: HouseOf) -> None:
    """It takes the connection itself, and is handed one on which everything is written."""

    def count(work: Any, _: object) -> int:
        work.customers.add_new(a_customer(work, "N1"))
        work.jobs.add(Job("bench", "one"))
        return int(
            work.connection.execute("SELECT count(*) FROM customers")[0][0]
            + work.connection.execute("SELECT count(*) FROM jobs WHERE kind = 'bench'")[0][0]
        )

    assert together(house, (count, None)) == [3]


def test_events_of_one_aggregate_keep_their_order(house: HouseOf) -> None:
    """Two in one command, one in the next, all of one group: their versions are dense."""

    def tell(work: UnitOfWork, kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            work.events.append(Event("customer", "one", kind))

    together(house, (tell, ("First", "Second")), (tell, ("Third",)))

    told = house.reader.execute("SELECT version, type FROM events WHERE aggregate_id = 'one' ORDER BY version")
    assert [tuple(row) for row in told] == [(1, "First"), (2, "Second"), (3, "Third")]


def test_a_row_that_another_writer_has_changed_is_read_again(postgresql_house_url: str) -> None:
    """It was read and not held: the version that waits is not the one that is there, and the command runs again."""
    from tests.workflows.house_of import HouseOf as Houses  # noqa: PLC0415  # the name above is for types alone

    with Houses(postgresql_house_url) as house:
        house.furnish()
        other = house.another_writer()
        runs: list[str] = []

        def rename(work: UnitOfWork, name: str) -> None:
            row = work.operators.get()
            runs.append(row.name)
            if len(runs) == 1:
                other.submit(house.operator, rename_at_once, "Other", runs.append, actor="test")
                other.step()
            work.operators.put(replace(row, name=f"{row.name} {name}"))

        def rename_at_once(work: UnitOfWork, name: str) -> str:
            return work.operators.put(replace(work.operators.get(), name=name)).name

        together(house, (rename, "Ltd"))
        other.stop()

        assert runs[-1] == "Other"
        assert house.rows.operators.get().name == "Other Ltd"


def test_a_session_takes_few_round_trips(postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL each statement that is waited for is a way to the server and back: it was 77 of them a session."""
    from tests.workflows.house_of import HouseOf as Houses  # noqa: PLC0415  # as above

    with Houses(postgresql_house_url) as house:
        house.furnish()
        wire = house.wire()
        wire.charge(kwh(1))
        waited: list[str] = []
        for name in ("execute", "ask_all", "change", "change_many", "change_batches"):
            through = getattr(PostgresConnection, name)

            def counting(self: Any, *told: Any, through: Any = through, name: str = name) -> Any:
                waited.append(name)
                return through(self, *told)

            monkeypatch.setattr(PostgresConnection, name, counting)

        wire.charge(kwh(2))

        assert 0 < len(waited) <= 60, len(waited)


def test_what_a_group_surely_asks_for_is_asked_at_once(
    postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst of meter values of ten sessions: their rows come in one statement, held, and none is asked for again."""
    from tests.workflows.house_of import HouseOf as Houses  # noqa: PLC0415  # as above

    with Houses(postgresql_house_url) as house:
        house.furnish()
        wire = house.wire()
        transaction = wire.start()
        facts = [wire.sampled(transaction, (house.later(10), kwh(step))) for step in range(1, 11)]
        asked = told_to_postgresql(monkeypatch)
        together(house, *[(follow, fact) for fact in facts])

        assert len([sql for sql in asked if "FROM sessions" in sql]) == 1
        assert len([sql for sql in asked if "FROM operators" in sql]) == 1
        assert house.rows.sessions.by()[0].last_register == kwh(10)


def test_what_statuses_ask_for_is_asked_in_two_ways_to_the_server(
    postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First their EVSEs, then what was said of them before: a status took five ways of its own, now a group takes two."""
    from tests.workflows.house_of import HouseOf as Houses  # noqa: PLC0415  # as above

    with Houses(postgresql_house_url) as house:
        house.furnish()
        wire = house.wire()
        first = [wire.status("Preparing", house.later(10), evse) for evse in (1, 2)]
        together(house, *[(report_status, fact) for fact in first])
        facts = [wire.status(status, house.later(10), evse) for status in ("Charging", "Faulted") for evse in (1, 2)]
        facts += [
            replace(facts[0], heard=replace(facts[0].heard, message_id="again")),
            wire.status("Charging", house.now, 9),
        ]
        asked = told_to_postgresql(monkeypatch)
        together(house, *[(report_status, fact) for fact in facts])

        told = [found[1] for sql in asked if (found := re.search(r"FROM (\w+)\s+WHERE", sql))]
        assert sorted(told) == ["connector_states", "connectors", "evses", "operators"]
        monkeypatch.undo()
        assert [one.status for one in house.rows.connectors.by()] == ["Faulted", "Faulted"]
        assert len(house.rows.connector_states.by()) == 6


def test_a_status_that_another_gateway_has_taken_meanwhile_is_one_status(
    postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not there when it was looked for: the group runs again, and nobody is told that it failed."""
    from tests.workflows.house_of import HouseOf as Houses  # noqa: PLC0415  # as above

    with Houses(postgresql_house_url) as house:
        house.furnish()
        wire = house.wire()
        facts = [wire.status("Preparing", house.later(10), evse) for evse in (1, 2)]
        other, flush = house.another_writer(), Pending.flush

        def late(self: Pending) -> None:
            monkeypatch.setattr(Pending, "flush", flush)
            again = replace(facts[0], heard=replace(facts[0].heard, message_id="again"))
            other.submit(house.operator, report_status, again, answers.append, actor="test")
            other.step()
            flush(self)

        answers: list[Any] = []
        monkeypatch.setattr(Pending, "flush", late)
        answers += together(house, *[(report_status, fact) for fact in facts])
        other.stop()

        assert answers == [None, None, None]
        assert len(house.rows.connector_states.by()) == 2
        assert house.writer.groups_lost == 1


def test_a_stop_that_another_gateway_has_just_taken_is_the_same_stop(
    postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knew its transaction when the group asked beforehand, so nothing was held: its fact is looked for again."""
    from tests.workflows.house_of import HouseOf as Houses  # noqa: PLC0415  # as above

    with Houses(postgresql_house_url) as house:
        house.furnish()
        wire = house.wire(protocol="ocpp2.0.1")
        stop, other_stop = (wire.event_ended(house.later(60), name, 5, kwh(5)) for name in ("T1", "T2"))
        other = house.another_writer()
        foresee = SqlUnitOfWork.open

        def late(self: SqlUnitOfWork, *told: Any) -> None:
            # Asked was what there is to ask, and the first command begins.
            monkeypatch.setattr(SqlUnitOfWork, "open", foresee)
            again = replace(stop, heard=replace(stop.heard, message_id="again"))
            other.submit(house.operator, unplug, again, answers.append, actor="test")
            other.step()
            foresee(self, *told)

        answers: list[Any] = []
        monkeypatch.setattr(SqlUnitOfWork, "open", late)
        answers += together(house, (unplug, stop), (unplug, other_stop))
        other.stop()

        assert answers[0] == answers[1]
        assert len(house.rows.sessions.by()) == 2
        assert [one.kind for one in house.rows.inbox.by() if one.kind == "stop_differs"] == []


def test_the_same_stop_twice_in_one_group_is_one_stop(house: HouseOf) -> None:
    """That its fact was not there was found out beforehand, and holds no longer once the first one is written."""
    wire = house.wire()
    transaction = wire.start()
    stop = wire.stopped(transaction, house.later(60), kwh(5))
    other = replace(stop, heard=replace(stop.heard, message_id="again"))

    first, second = together(house, (unplug, stop), (unplug, other))

    assert first == second
    assert len(house.rows.station_facts.by(kind="stop")) == 1
    assert house.rows.inbox.by() == []


def test_the_same_start_twice_in_one_group_is_one_session(house: HouseOf) -> None:
    """A station that tells it again before it has heard the answer."""
    wire = house.wire()
    start = wire.started(house.now, 0)
    other = replace(start, heard=replace(start.heard, message_id="again"))

    first, second = together(house, (plug_in, start), (plug_in, other))

    assert first == second
    assert len(house.rows.sessions.by()) == 1


@pytest.fixture(scope="module")
def filled(spare_databases: Spares) -> Iterator[psycopg.Connection[Any]]:
    """A migrated database whose tables hold rows, so that the planner has something to decide on."""
    name = spare_databases.take()
    with psycopg.connect(spare_databases.url(name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # rows without the rows that they refer to
        for table in ("sessions", "station_facts", "inbox", "evses", "transaction_counters"):
            fill(connection, table)
            connection.execute(f"UPDATE {table} SET operator_id = 'operator'")
        connection.execute("ANALYZE")
        connection.execute("SET enable_seqscan = off")
        yield connection
    spare_databases.give_back(name)


@pytest.mark.parametrize(
    ("mapping", "names", "index"),
    [
        (metering.SESSIONS, ("station_id", "transaction_id"), "uq_sessions_transaction"),
        (metering.STATION_FACTS, ("fact_key",), "pk_station_facts"),
        (metering.INBOX, ("natural_key",), "uq_inbox_operator_id_natural_key"),
        (stations.EVSES, ("station_id", "number"), "uq_evses_operator_id_station_id_number"),
        (stations.TRANSACTION_COUNTERS, ("station_id",), "pk_transaction_counters"),
    ],
)
def test_what_is_asked_at_once_is_found_by_its_index(
    filled: psycopg.Connection[Any], mapping: Mapping[Any], names: tuple[str, ...], index: str
) -> None:
    """However many sessions are stored, a group reads as many rows as it asked for."""
    sql = statements_of(mapping, "postgresql").foreseen(names, held=False)
    wanted = [[1] if name == "number" else ["x"] for name in names]

    steps = [row[0] for row in filled.execute(f"EXPLAIN {sql}", (*wanted, "operator"))]

    assert any(index in step for step in steps), steps
    assert not [step for step in steps if "Seq Scan" in step]
