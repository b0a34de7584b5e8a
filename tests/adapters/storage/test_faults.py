"""Faults of disk and database: who is told yes is there, who is not told says it again, nothing is double."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tallywatt.adapters.storage import writer
from tallywatt.adapters.storage.connections import (
    NUMBER_OF_THIS,
    CommitUnanswered,
    PostgresConnection,
    SqliteConnection,
    sqlite_path,
)
from tallywatt.adapters.storage.store import Store, take_write_lock
from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.kernel.errors import Busy, SecondWriter
from tallywatt.kernel.money import money
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tests.adapters.storage.cutting import AFTER, BEFORE, CuttingProxy
from tests.migrated import copy_of
from tests.workflows.house_of import INSTALLATION_KEY, HouseOf, kwh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tallywatt.adapters.storage.connections import Connection


def on(house: HouseOf, connect: Callable[[], Connection]) -> HouseOf:
    """The house, writing through another connection from now on. Its draws are no others' of the house it is a copy of."""
    house._draws = count(10_000)
    house.writer.stop()
    house.writer = GroupWriter(connect, house.draw, Vault(INSTALLATION_KEY))
    return house


def a_day(house: HouseOf) -> None:
    """A session from plug to paid, each fact said again until it is taken, as stations and workers do."""
    wire = house.wire()
    start = wire.started(house.now, 0)
    said_until_taken(house, start)
    for minutes in (10, 20):
        house.later(10)
        said_until_taken(house, wire.sampled(1, (house.now, kwh(minutes / 10))))
    house.later(10)
    said_until_taken(house, wire.stopped(1, house.now, kwh(3)))
    paid_until_taken(house)


def said_until_taken(house: HouseOf, fact: Any) -> None:
    """A station has patience."""
    for _ in range(5):
        try:
            house.do_all(fact)
        except Busy:
            continue
        return
    msg = "it was never taken"
    raise AssertionError(msg)


def paid_until_taken(house: HouseOf) -> None:
    """So has a worker."""
    for _ in range(8):
        try:
            house.collect()
        except Busy:
            continue
        return
    msg = "it was never taken"
    raise AssertionError(msg)


def is_one_paid_session(house: HouseOf) -> None:
    """Everything is there once, and adds up."""
    house.adds_up()
    [session] = house.rows.sessions.by()
    assert session.milliwatt_hours == kwh(3)
    [payment] = house.rows.payments.by()
    [invoice] = house.rows.invoices.by()
    assert payment.captured_minor == invoice.gross_minor == 90
    assert sum(one.amount_minor for one in house.rows.allocations.by()) == 90
    assert house.inbox() == []


class FailsOnce(SqliteConnection):
    """A disk that fails once, at the so-manieth touch."""

    def __init__(self, path: str) -> None:
        self.left = 0
        super().__init__(path)

    def _touch(self) -> None:
        self.left -= 1
        if self.left == 0:
            msg = "disk I/O error"
            raise sqlite3.OperationalError(msg)

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        self._touch()
        return super().execute(sql, parameters)

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        self._touch()
        return super().change(sql, parameters)

    def change_many(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> int:
        self._touch()
        return super().change_many(sql, rows)

    def commit(self) -> None:
        self._touch()
        super().commit()


@pytest.fixture(scope="module")
def furnished(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A furnished house, to be copied."""
    folder = tmp_path_factory.mktemp("furnished")
    with HouseOf(copy_of(migrated_file, folder)) as house:
        house.furnish()
        house.keep_a_card()
    return folder / "house.db"


@pytest.mark.parametrize("first", [1, 2, 3])
def test_an_io_error_at_any_statement_loses_and_doubles_nothing(furnished: Path, tmp_path: Path, first: int) -> None:
    """Every statement and every commit of a whole session fails once, in one of these houses."""
    failed = 0
    for at in range(first, 1000, 3):
        folder = tmp_path / str(at)
        folder.mkdir()
        with HouseOf(copy_of(furnished, folder)) as house:
            connection = FailsOnce(sqlite_path(house.url))
            connection.execute("PRAGMA synchronous=OFF")
            connection.left = at
            on(house, lambda connection=connection: connection)  # type: ignore[misc]  # a lambda's default has no type
            a_day(house)
            is_one_paid_session(house)
            if connection.left > 0:
                break
            failed += 1
    assert failed > 5, "a session takes many statements"


def test_a_full_disk_takes_nothing_in_and_says_so_and_goes_on_when_there_is_room(
    furnished: Path, tmp_path: Path
) -> None:
    """A station is not told that it was heard, nothing of its fact is there, and its next try is the first."""
    with HouseOf(copy_of(furnished, tmp_path)) as house:
        connection = SqliteConnection(sqlite_path(house.url))
        on(house, lambda: connection)
        pages = connection.execute("PRAGMA page_count")[0][0]
        connection.execute(f"PRAGMA max_page_count={pages}")
        wire, taken, refused = house.wire(), 0, ""
        transaction = None
        for minute in range(200):
            fact = (
                wire.started(house.now, 0)
                if transaction is None
                else wire.sampled(transaction, (house.now, kwh(minute / 100)))
            )
            house.later(1)
            try:
                [answer] = house.do_all(fact)
            except Busy as busy:
                refused = busy.code
                break
            transaction = transaction or answer.transaction_id
            taken += 1
        assert taken
        assert refused == "storage.unavailable"
        assert len(house.rows.frames.by()) == taken

        connection.execute("PRAGMA max_page_count=1073741823")
        house.do_all(fact)
        house.later(1)
        wire.stop(transaction or 1, kwh(3))
        house.adds_up()


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("place", range(4))
def test_a_line_cut_within_commit_is_one_paid_session(postgresql_house_url: str, moment: str, place: int) -> None:
    """Whether it was committed is not known: the command runs again, and the natural key answers (RULES §2)."""
    with HouseOf(postgresql_house_url) as house, CuttingProxy(postgresql_house_url) as proxy:
        house.furnish()
        house.keep_a_card()
        on(house, lambda: PostgresConnection(proxy.url))
        wire = house.wire()
        facts: list[Callable[[], object]] = [
            lambda: house.do_all(wire.started(house.now, 0)),
            lambda: house.do_all(wire.sampled(1, (house.later(10), kwh(1)))),
            lambda: house.do_all(wire.stopped(1, house.later(20), kwh(3))),
            house.collect,
        ]
        for number, say in enumerate(facts):
            if number == place:
                proxy.arm(moment)
            say()
        assert proxy.cuts == 1
        is_one_paid_session(house)


def asked_for_twice(house: HouseOf) -> PayAdHoc:
    """A command without a natural key: the same driver may well want to pay twice."""
    account = AddProviderAccount("cards", "stripe", ("GBP",), "env:NOWHERE", ("env:NOWHERE",))
    house.do(add_provider_account, account)
    [evse, *_] = house.rows.evses.by()
    return PayAdHoc(evse.evse_id, money("45.00", "GBP"), "Square", "http://127.0.0.1/{secret}", "http://127.0.0.1/")


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("others", [0, 3])
def test_a_line_cut_within_commit_runs_a_command_without_a_natural_key_once(
    postgresql_house_url: str, moment: str, others: int
) -> None:
    """Nothing in it says that it was there before: run again blindly, it would be two holds on one card, or an error."""
    with HouseOf(postgresql_house_url) as house, CuttingProxy(postgresql_house_url) as proxy:
        house.furnish()
        command = asked_for_twice(house)
        on(house, lambda: PostgresConnection(proxy.url))
        answers: list[Any] = []
        for _ in range(1 + others):
            house.writer.submit(house.operator, pay_ad_hoc, command, answers.append, actor="test")
        proxy.arm(moment)
        while house.writer.step():
            pass

        assert proxy.cuts == 1
        assert {one.payment_id for one in answers} == {one.payment_id for one in house.rows.payments.by()}
        assert len(house.rows.payments.by()) == len(house.rows.operations.by()) == 1 + others
        assert house.writer.groups_lost == (1 if moment == BEFORE else 0)


class Unreachable(PostgresConnection):
    """A line whose commit gets no answer, to a server that nobody reaches again."""

    gone = False

    def __init__(self, url: str) -> None:
        if Unreachable.gone:
            msg = "connection refused"
            raise psycopg.OperationalError(msg)
        super().__init__(url)

    def commit(self) -> None:
        Unreachable.gone = True
        number = "1"
        raise CommitUnanswered(number)


def test_what_nobody_can_find_out_is_neither_told_as_yes_nor_run_again(
    postgresql_house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is gone for good with the answer: a person is told to look, and nothing happens twice behind his back."""
    monkeypatch.setattr(writer, "DOUBT_SECONDS", (0.0, 0.0))
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        command = asked_for_twice(house)
        on(house, lambda: Unreachable(postgresql_house_url))

        with pytest.raises(Busy) as caught:
            house.do(pay_ad_hoc, command)

        assert caught.value.code == "storage.outcome_unknown"
        assert house.rows.payments.by() == []


def test_a_transaction_that_lost_its_line_and_still_runs_is_ended_before_anybody_asks_again(
    postgresql_house_url: str,
) -> None:
    """A router that forgot the line: the server waits for a COMMIT that will never come, and holds its locks meanwhile."""
    lost, other = PostgresConnection(postgresql_house_url), PostgresConnection(postgresql_house_url)
    try:
        lost.begin()
        lost.change("INSERT INTO cursors (consumer, position) VALUES ('nobody', 0)")
        [(number,)] = lost.execute(NUMBER_OF_THIS)

        known = [other.was_committed(number) for _ in range(200)]

        assert False in known
        assert True not in known
    finally:
        lost.close()
        other.close()


class Refuses(PostgresConnection):
    """A server that ends a transaction with an error of its own, once, at the so-manieth change."""

    def __init__(self, url: str, code: str, at: int) -> None:
        super().__init__(url)
        self._code = code
        self.left = at

    def _touch(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.execute(f"DO $$ BEGIN RAISE SQLSTATE '{self._code}'; END $$")

    def change(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        self._touch()
        return super().change(sql, parameters)

    def change_batches(self, batches: Sequence[tuple[str, Sequence[tuple[Any, ...]]]]) -> list[int]:
        for _ in batches:
            self._touch()
        return super().change_batches(batches)


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("at", [1, 5, 14])
def test_a_lost_race_is_run_again(postgresql_house_url: str, code: str, at: int) -> None:
    """Serialization failures and deadlocks are no errors: nobody hears of them."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        house.keep_a_card()
        connection = Refuses(postgresql_house_url, code, at)
        on(house, lambda: connection)

        a_day(house)

        assert connection.left <= 0
        is_one_paid_session(house)


def test_the_server_is_gone_for_a_while(postgresql_house_url: str) -> None:
    """Nobody is told yes, whoever asks is told to come again, and no restart of ours is needed."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        house.keep_a_card()
        gone = [True] * 20

        def connect() -> PostgresConnection:
            if gone:
                gone.pop()
                msg = "connection refused"
                raise psycopg.OperationalError(msg)
            return PostgresConnection(postgresql_house_url)

        on(house, connect)
        with pytest.raises(Busy):
            house.wire().start()

        a_day(house)

        is_one_paid_session(house)


HOLDS_THE_LOCK = """
import sys, time
from tallywatt.adapters.storage.store import take_write_lock
lock = take_write_lock(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_server_started_by_mistake_is_told_who_writes(sqlite_house_url: str) -> None:
    """Two writers on one file would wait for each other at random. The lock of one that was killed is no lock."""
    command = [sys.executable, "-c", HOLDS_THE_LOCK, sqlite_house_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(SecondWriter, match=f"process {other.pid} "):
            Store(sqlite_house_url, HouseOf(sqlite_house_url).draw, INSTALLATION_KEY)
        other.send_signal(signal.SIGKILL)
        other.wait(10)

    take_write_lock(sqlite_house_url).close()


def test_a_connection_that_is_given_up_gives_up_the_write_lock(tmp_path: Path) -> None:
    """SQLite keeps a closed connection while one of its statements lives, and with it nobody could write any more."""
    given_up = SqliteConnection(str(tmp_path / "house.db"))
    given_up.execute("CREATE TABLE t (x INTEGER PRIMARY KEY) STRICT")
    given_up.begin()
    given_up.change("INSERT INTO t VALUES (1) RETURNING x")
    given_up.close()
    after = SqliteConnection(str(tmp_path / "house.db"))
    after.execute("PRAGMA busy_timeout=0")
    after.begin()
    assert after.execute("SELECT count(*) FROM t") == [(0,)]
    after.close()
