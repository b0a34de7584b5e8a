"""Uploads on both engines: refusals, dry runs and races leave nothing half done, others get their turn, old reports go."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.clock import Instant
from tallywatt.settings import Settings
from tallywatt.wiring import House
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.imports import RECEIVING_SECONDS, REPORT_DAYS, ImportKind
from tallywatt.workflows.take_import import BeginImport, KeepPart, OpenImport, begin_import, keep_part, open_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tallywatt.workflows.imports import Import, ImportRow

DAY = 86_400_000


class Clock:
    """Machine time, as the test wants it."""

    def __init__(self, house: House) -> None:
        self.offset = 0
        self._house = house
        self._draw = house.draws.draw
        house.store.writer._draw = self.draw

    def draw(self) -> Any:
        """A draw of a later time."""
        drawn = self._draw()
        return replace(drawn, machine=Instant(drawn.machine + self.offset))


class Yard:
    """A house with one operator, and a worker that takes uploads."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.operator = house.new_id("operator")
        self.do(add_operator, AddOperator("dundee", "Dundee", clock_floor=Instant(0)))
        self.workers = Workers(house, ())

    def do(self, workflow: Any, command: Any) -> Any:
        """Run a workflow."""
        return self.house.write_now(self.operator, workflow, command, actor="key:test")

    def upload(self, rows: list[dict[str, Any]], *, dry_run: bool = False, begin: bool = True) -> str:
        """A file of customers."""
        import_id = self.house.new_id("import")
        self.do(open_import, OpenImport(import_id, ImportKind.CUSTOMERS, dry_run=dry_run))
        self.do(keep_part, KeepPart(import_id, 0, "\n".join(map(json.dumps, rows)).encode()))
        if begin:
            self.do(begin_import, BeginImport(import_id))
        return import_id

    def work(self) -> None:
        """Until nothing is due."""
        while self.workers.step(LANES["imports"]):
            pass

    def the(self, import_id: str) -> Import:
        """The upload as it stands."""
        found: Import = self.do(lambda work, key: work.imports.get(key), import_id)
        return found

    def rows(self) -> list[ImportRow]:
        """All rows of all reports."""
        found: list[ImportRow] = self.do(lambda work, _: work.import_rows.by(), None)
        return found


@pytest.fixture
def yard(tmp_path: Path, house_url: str) -> Iterator[Yard]:
    """On each engine."""
    house = House(Settings(data_dir=tmp_path, database_url=house_url))
    house.open(following=False)
    yield Yard(house)
    house.close()


def members(*numbers: int, name: str = "") -> list[dict[str, Any]]:
    """Rows of customers."""
    return [{"reference": f"M{number}", "name": name} for number in numbers]


def test_a_refused_row_between_good_ones_takes_none_of_them_with_it(yard: Yard) -> None:
    """They share a commit, and on PostgreSQL a failed command fails its group."""
    import_id = yard.upload([*members(1, 2), *members(1, name="Somebody"), *members(3), {"reference": ""}])
    yard.work()
    upload = yard.the(import_id)

    assert (upload.state, upload.rows, upload.taken, upload.refused) == ("done", 5, 3, 2)
    assert [(one.line, one.outcome.value) for one in yard.rows()] == [
        (1, "taken"), (2, "taken"), (3, "refused"), (4, "taken"), (5, "refused"),
    ]  # fmt: skip
    assert len(yard.do(lambda work, _: work.customers.by(), None)) == 3


def test_a_dry_run_is_undone_on_either_engine(yard: Yard) -> None:
    """Each row is tried in a transaction that is rolled back; the report is kept."""
    import_id = yard.upload(members(1, 1, 2), dry_run=True)
    yard.work()
    upload = yard.the(import_id)

    assert (upload.state, upload.taken, upload.already_there) == ("done", 3, 0)
    assert yard.do(lambda work, _: work.customers.by(), None) == []
    assert {one.subject_id for one in yard.rows()} == {None}


def test_a_long_upload_lets_a_short_one_pass(yard: Yard) -> None:
    """After a stretch of rows the job goes back in line behind whoever waits."""
    long = yard.upload(members(*range(600)))
    short = yard.upload(members(1001))
    for _ in range(5):
        yard.workers.step(LANES["imports"])

    assert yard.the(short).state == "done"
    assert yard.the(long).state == "running"
    yard.work()
    assert (yard.the(long).state, yard.the(long).taken) == ("done", 600)


def test_what_was_broken_off_and_what_is_old_is_forgotten(yard: Yard) -> None:
    """An upload that never became whole goes after an hour, the report of rows after its term; the figures stay."""
    broken = yard.upload(members(1), begin=False)
    whole = yard.upload(members(2))
    yard.work()
    clock = Clock(yard.house)
    yard.house.forget()
    assert yard.do(lambda work, key: work.imports.find(key), broken) is not None

    clock.offset = (RECEIVING_SECONDS + 60) * 1000
    yard.house.forget()
    assert yard.do(lambda work, key: work.imports.find(key), broken) is None
    assert yard.do(lambda work, _: work.import_parts.by(), None) == []
    assert len(yard.rows()) == 1

    clock.offset = REPORT_DAYS * DAY + DAY
    yard.house.forget()
    assert yard.rows() == []
    assert yard.the(whole).taken == 1
