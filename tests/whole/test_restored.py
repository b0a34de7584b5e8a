"""A backup that is 100 sessions old comes back: no money is taken twice, no number is given twice, stations carry on."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tallywatt.entrypoints.cli import main
from tallywatt.invoicing.skipped import SAFE_DISTANCE
from tallywatt.metering.session import SessionState
from tallywatt.payments.payment import PaymentState
from tallywatt.settings import Settings
from tallywatt.simulators.psp import books
from tallywatt.wiring import back_up, bring_back
from tests.postgresql import fresh_database
from tests.simulators.psp.running import RunningPsp
from tests.whole.town import Town
from tests.workflows.house_of import KWH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LOST_SESSIONS = 100
_numbers = count(1)


@pytest.fixture
def psp(tmp_path: Path) -> Iterator[RunningPsp]:
    with RunningPsp(tmp_path / "psp.jsonl") as running:
        yield running


@pytest.fixture
def town(engine_url: str, tmp_path: Path, psp: RunningPsp) -> Town:
    """An installation that collects."""
    made = Town(tmp_path / "data", None if engine_url.startswith("sqlite:") else engine_url)
    made.settings.data_dir.mkdir()
    made.furnish(psp)
    return made


@pytest.fixture
def elsewhere(engine_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """An empty place of the same engine."""
    folder = tmp_path / "again"
    if engine_url.startswith("sqlite:"):
        yield Settings(data_dir=folder)
        return
    server: str = request.getfixturevalue("postgresql_server_url")
    with fresh_database(server, f"again_{next(_numbers)}") as url:
        yield Settings(data_dir=folder, database_url=url)


def tallywatt(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """The command line on an installation; it must succeed."""
    monkeypatch.setenv("TALLYWATT_DATA_DIR", str(settings.data_dir))
    monkeypatch.delenv("TALLYWATT_DATABASE_URL", raising=False)
    if settings.database_url is not None:
        monkeypatch.setenv("TALLYWATT_DATABASE_URL", settings.database_url)
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert not ended.value.code


@dataclass(frozen=True)
class Lost:
    """What the old house and the world outside knew, when the house burnt down."""

    archive: Path
    paid_before: str
    """A transaction that ran at the backup and was paid after it."""
    held_before: str
    """The same, paid from a hold that was placed before the backup."""
    running_on: str
    """A transaction that never ended."""
    others: tuple[str, ...]
    hold: str
    lost_hold: str
    """A hold of which the backup knows nothing."""
    numbers: frozenset[str]
    payments: frozenset[str]
    at_provider: books.Totals


def burn_down(town: Town, psp: RunningPsp, archive: Path) -> Lost:
    """Three sessions, a backup, a hundred sessions, and the end."""
    for _ in range(3):
        town.wire.charge(2 * KWH)
        town.work()
    paid_before = town.wire.start(evse=2)
    hold, tag = town.hold(evse=3)
    held_before = town.wire.start(token=tag, evse=3)
    running_on = town.wire.start(evse=4)
    back_up(town.settings, archive, None)
    town.later(30)
    town.wire.stop(paid_before, 3 * KWH)
    town.wire.stop(held_before, 5 * KWH)
    others = tuple(town.wire.charge(KWH) for _ in range(LOST_SESSIONS))
    lost_hold, _ = town.hold(evse=2)
    town.work()
    assert town.audit() == []
    payments = frozenset(one.payment_id for one in town.rows(lambda work: work.payments.by()) if one.captured_minor)
    lost = Lost(
        archive, paid_before, held_before, running_on, others, hold.payment_id, lost_hold.payment_id,
        frozenset(town.numbers()), payments, books.read(psp.state),
    )  # fmt: skip
    assert len(lost.numbers) == LOST_SESSIONS + 5
    assert lost.at_provider.holds_open == 1
    town.close()
    return lost


def come_back(town: Town, elsewhere: Settings, lost: Lost) -> Town:
    """The same house in another place."""
    elsewhere.data_dir.mkdir()
    shutil.copy(town.settings.key_file, elsewhere.key_file)
    bring_back(elsewhere, lost.archive, None)
    back = Town(elsewhere.data_dir, elsewhere.database_url)
    back.now = town.now
    back.open()
    assert len(back.numbers()) == 3
    return back


def carry_on(town: Town, lost: Lost, psp: RunningPsp) -> set[str]:
    """Stations talk at once; nothing goes out and nothing is numbered. The transactions that wait for their price."""
    fresh = town.wire.charge(KWH, evse=1)
    town.later(60)
    town.wire.stop(lost.running_on, 4 * KWH)
    town.wire.stop(lost.others[-1], 9 * KWH)
    town.work()
    assert fresh not in {*lost.others, lost.paid_before, lost.held_before, lost.running_on}
    assert books.read(psp.state) == lost.at_provider
    assert len(town.numbers()) == 3
    waiting = {one.transaction_id for one in town.rows(lambda work: work.sessions.by(state=SessionState.ENDED))}
    assert waiting == {fresh, lost.running_on}
    assert [one["kind"] for one in town.ask(town.house.views.inbox)["items"]] == ["unknown_transaction"]
    return waiting


def test_a_backup_that_is_a_hundred_sessions_old_takes_no_money_twice(
    town: Town, elsewhere: Settings, psp: RunningPsp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The provider and the papers of customers remember what the database has lost."""
    lost = burn_down(town, psp, tmp_path / "monday.tallywatt")
    town = come_back(town, elsewhere, lost)
    waiting = carry_on(town, lost, psp)
    town.close()
    capsys.readouterr()
    tallywatt(elsewhere, monkeypatch, "reconcile", "--last-invoice", max(lost.numbers), "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["unknown"], told["accounts"]) == (LOST_SESSIONS + 2, 1)
    town.open()
    let_waiting_jobs_run(town)
    town.work()

    # What was waiting is billed and paid for the first time, and what was paid is found.
    after, there = books.read(psp.state), lost.at_provider
    assert sum(after.captured_minor.values()) == sum(there.captured_minor.values()) + price_of(town, waiting)
    assert town.payment(lost.hold).state is PaymentState.CAPTURED
    assert (after.holds_open, town.payment(lost.lost_hold).state) == (0, PaymentState.VOIDED)
    assert town.numbers() & lost.numbers == numbers_of_old(town)
    assert min(town.numbers() - lost.numbers) > max(lost.numbers)

    # The stops that the station will never tell again: their sessions end when the next car comes.
    town.wire.charge(KWH, evse=2, meter=3 * KWH)
    town.wire.charge(KWH, evse=3, meter=5 * KWH)
    town.work()
    before, settled = (one.captured_by("tallywatt_payment") for one in (there, books.read(psp.state)))
    assert {one: settled[one] for one in lost.payments} == {one: before[one] for one in lost.payments}
    for_session = [one for one in town.rows(lambda work: work.payments.by()) if one.captured_minor and one.session_id]
    assert len({one.session_id for one in for_session}) == len(for_session), "one session, one capture"
    assert town.audit() == []
    town.close()


def test_without_a_word_about_paper_the_numbers_keep_a_safe_distance(
    town: Town, elsewhere: Settings, psp: RunningPsp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider carries the numbers of what was paid; of what was only sent by post nobody may remember."""
    lost = burn_down(town, psp, tmp_path / "monday.tallywatt")
    town = come_back(town, elsewhere, lost)
    town.close()
    tallywatt(elsewhere, monkeypatch, "reconcile")

    town.open()
    town.wire.charge(KWH, evse=1)
    [number] = town.numbers() - numbers_of_old(town)
    assert int(number[-6:]) == int(max(lost.numbers)[-6:]) + 1 + SAFE_DISTANCE
    assert town.audit() == []
    town.close()


def let_waiting_jobs_run(town: Town) -> None:
    """Time passes: what waited for the comparison looks again."""
    now = "UPDATE jobs SET run_at = 0 WHERE state = 'ready'"
    town.house.store.run_now("", lambda work, _: work.connection.change(now), None, actor="test")


def price_of(town: Town, transactions: set[str]) -> int:
    """What these sessions cost."""
    sessions = [one for one in town.rows(lambda work: work.sessions.by()) if one.transaction_id in transactions]
    invoices = {one.session_id: one.gross_minor for one in town.rows(lambda work: work.invoices.by())}
    return sum(invoices[one.session_id] for one in sessions)


def numbers_of_old(town: Town) -> set[str]:
    """The numbers that were given before the backup."""
    return {one.number for one in town.rows(lambda work: work.invoices.by()) if one.sequence <= 3}
