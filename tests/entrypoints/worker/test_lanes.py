"""Workers of a real house on SQLite: jobs are done, retried, and put before a person, whatever their handlers do."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tallywatt import workflows
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.entrypoints.worker.handlers import Handlers
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Busy
from tallywatt.kernel.identity import StationId
from tallywatt.settings import Settings
from tallywatt.stations.command import Action, CommandState
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, add_station
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.jobs import Job, JobState
from tallywatt.workflows.ports import LinkAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.stations.command import StationCommand
    from tallywatt.workflows.jobs import StoredJob
    from tallywatt.workflows.ports import UnitOfWork


class Link:
    """A station's side of the wire, as the test wants it."""

    def __init__(self, outcome: str, *connected: str) -> None:
        self.outcome = outcome
        self.asked: list[str] = []
        self._connected = frozenset(connected)

    def connected(self) -> frozenset[str]:
        """Who is here."""
        return self._connected

    def call(self, station_id: str, command: StationCommand, timeout_seconds: float) -> LinkAnswer:
        """Answer at once."""
        assert timeout_seconds > 0
        self.asked.append(f"{station_id} {command.action.value}")
        return LinkAnswer(self.outcome)


def planned_kinds() -> set[str]:
    """The kinds of all jobs that workflows plan, as the code has them."""
    found = set()
    for module_info in pkgutil.iter_modules(workflows.__path__):
        module = importlib.import_module(f"tallywatt.workflows.{module_info.name}")
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Job" and node.args:
                kind = node.args[0]
                if isinstance(kind, ast.Constant):
                    found.add(str(kind.value))
                elif isinstance(kind, ast.Name) and hasattr(module, kind.id):
                    found.add(str(getattr(module, kind.id)))
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house with one operator and one station; nobody steps its workers but the test."""
    settings = Settings(data_dir=tmp_path)
    upgrade(settings.url)
    built = House(settings)
    built.open(following=False)
    yield built
    built.close()


def test_every_job_that_is_planned_has_a_handler_and_a_lane_that_takes_it(house: House) -> None:
    """One that no lane takes waits for ever, and nobody hears of it: letters before a direct debit once did."""
    taken = [kind for lane in LANES.values() for kind in lane.kinds]
    handled = set(Handlers(house).kinds)
    assert sorted(set(taken)) == sorted(taken)
    assert handled == set(taken)
    planned = planned_kinds()
    assert len(planned) > 30, "the search itself finds what is there"
    assert planned <= handled


def furnished(house: House) -> tuple[str, StationId]:
    """An operator and its station."""
    operator = house.new_id("operator")
    house.write_now(operator, add_operator, AddOperator("dundee", "Dundee", clock_floor=Instant(0)), actor="test")
    station = house.write_now(operator, add_station, AddStation("CP1", key_hash="x"), actor="test")
    return operator, station.station_id


def commanded(house: House, operator: str, station_id: StationId) -> StationCommand:
    """A reset that was asked for."""
    return house.write_now(operator, command_station, CommandStation(station_id, Action.RESET), actor="person:1")


def stored(house: House, operator: str, command: StationCommand) -> StationCommand:
    """The command as it stands now."""
    return house.write_now(operator, lambda work, key: work.station_commands.get(key), command.command_id, actor="test")


@pytest.mark.parametrize(
    ("outcome", "state"), [("accepted", CommandState.COMPLETED), ("rejected", CommandState.REJECTED)]
)
def test_a_command_is_sent_once_and_its_answer_written_down(house: House, outcome: str, state: CommandState) -> None:
    """The outbox carries commands to stations; the answer ends them."""
    operator, station_id = furnished(house)
    command = commanded(house, operator, station_id)
    link = house.gateway = Link(outcome, station_id)  # type: ignore[assignment]  # a fake behind the port StationLink
    workers = Workers(house, ())

    assert workers.step(LANES["stations"]) == 1
    assert workers.step(LANES["stations"]) == 0

    assert link.asked == [f"{station_id} reset"]
    assert stored(house, operator, command).state is state


def test_a_command_waits_for_a_station_that_is_away(house: House) -> None:
    """A reconnect takes seconds; the command must not be lost for it."""
    operator, station_id = furnished(house)
    command = commanded(house, operator, station_id)
    house.gateway = Link("not_connected")  # type: ignore[assignment]  # as above

    Workers(house, ()).step(LANES["stations"])

    assert stored(house, operator, command).state is CommandState.REQUESTED
    [job] = house.write_now(operator, lambda work, kind: work.stored_jobs.by(kind=kind), "send_command", actor="test")
    assert job.state is JobState.READY
    assert "not connected" in (job.last_error or "")


def test_a_watch_that_comes_too_early_comes_again(house: House) -> None:
    """The clock of another machine may be ahead; the command would stay open for ever."""
    operator, station_id = furnished(house)
    command = commanded(house, operator, station_id)

    def hurry(work: UnitOfWork, kind: str) -> StoredJob:
        [job] = work.stored_jobs.by(kind=kind)
        return work.stored_jobs.put(replace(job, run_at=work.machine_now))

    house.write_now(operator, hurry, "watch_command", actor="test")
    Workers(house, ()).step(LANES["house"])

    [job] = house.write_now(operator, lambda work, kind: work.stored_jobs.by(kind=kind), "watch_command", actor="test")
    assert (job.state, job.attempts) == (JobState.READY, 0)
    assert job.run_at >= command.deadline_at


def test_a_job_about_something_that_is_not_there_fails_for_good_and_says_so(house: House) -> None:
    """It would never come right by itself; a person must see it."""
    operator, _ = furnished(house)
    house.write_now(operator, lambda work, job: work.jobs.add(job), Job("finish_session", "no-such"), actor="test")

    Workers(house, ()).step(LANES["house"])

    [job] = house.write_now(operator, lambda work, kind: work.stored_jobs.by(kind=kind), "finish_session", actor="test")
    assert job.state is JobState.FAILED
    assert "sessions.not_found" in (job.last_error or "")


def test_a_job_that_meets_a_broken_disk_waits_and_has_lost_no_attempt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of a full disk must not leave thousands of jobs for a person to start again."""
    operator, station_id = furnished(house)
    commanded(house, operator, station_id)
    workers = Workers(house, ())

    def is_full(*_: object, **__: object) -> None:
        msg = "the disk is full"
        raise Busy(msg, code="storage.unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(house, "write_now", is_full)
        workers.step(LANES["stations"])

    [job] = house.write_now(operator, lambda work, kind: work.stored_jobs.by(kind=kind), "send_command", actor="test")
    assert (job.state, job.attempts) == (JobState.READY, 0)
    assert "storage.unavailable" in (job.last_error or "")


def test_the_rest_of_a_batch_is_given_back_when_not_even_its_end_can_be_written_down(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away in the middle: the jobs behind waited for a lease of a worker that was alive and idle."""
    operator, station_id = furnished(house)
    for _ in range(3):
        commanded(house, operator, station_id)
    workers, lane = Workers(house, ()), replace(LANES["stations"], batch=10)

    def is_away(*_: object, **__: object) -> None:
        msg = "the database is away"
        raise Busy(msg, code="storage.unavailable")

    def states() -> list[tuple[JobState, int]]:
        rows = house.write_now(
            operator, lambda work, kind: work.stored_jobs.by(kind=kind), "send_command", actor="test"
        )
        return [(one.state, one.attempts) for one in rows]

    with monkeypatch.context() as broken:
        broken.setattr(house, "write_now", is_away)
        broken.setattr(house, "end_job", is_away)
        with pytest.raises(Busy):
            workers.step(lane)
    left = states()
    workers.step(LANES["papers"])

    assert left == [(JobState.LEASED, 1)] * 3
    assert states() == [(JobState.READY, 0)] * 3


def test_every_kind_of_job_that_a_workflow_writes_has_a_lane() -> None:
    """A job that no lane claims would wait for ever."""
    known = {kind for lane in LANES.values() for kind in lane.kinds}
    wanted = {
        "ask_provider",
        "call_provider",
        "finish_session",
        "look_at_page",
        "lose_stop",
        "print_invoice",
        "release_hold",
        "send_command",
        "start_paid_session",
        "watch_command",
    }

    assert wanted <= known
