"""A small round of chaos on each engine: real processes, killed and misled, and at the end everything adds up."""

from __future__ import annotations

import json
import logging
import shutil
from typing import TYPE_CHECKING

import pytest
import structlog

from tallywatt.adapters.storage.connections import connect
from tests.chaos.day import rows_of
from tests.chaos.plan import FULL, SMALL, Engine, plan_of
from tests.chaos.run import play
from tests.chaos.verdict import broken_truths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.chaos.verdict import Records

SEED = 1


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What the round's own house says is no part of the report."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


# Processes are started, not timed: a machine with other work may take long.
@pytest.mark.timeout(900)
def test_whatever_is_killed_on_sqlite_everything_adds_up_and_what_does_not_is_found(
    tmp_path: Path, migrated_file: Path
) -> None:
    """The meters' file and the provider's file agree with the books, one by one and in all."""
    told: list[str] = []
    shutil.copy(migrated_file, tmp_path / "tallywatt.db")
    outcome = play(plan_of(SEED, Engine.SQLITE, SMALL), tmp_path, None, told.append)

    assert outcome.broken == (), "\n".join((*told, *outcome.broken))
    assert outcome.figures["kills"] == SMALL.kills
    assert outcome.figures["sessions"] >= SMALL.stations
    assert outcome.figures["taps"], "somebody pays at a card reader"
    for spoil, words in SABOTAGE.items():
        assert words in _said_after(outcome.records, spoil)
    assert broken_truths(outcome.records) == []


@pytest.mark.timeout(900)
def test_whatever_is_killed_on_postgresql_everything_adds_up(tmp_path: Path, postgresql_house_url: str) -> None:
    """The same, with lines to the database that break, some of them within a COMMIT."""
    told: list[str] = []
    outcome = play(plan_of(SEED, Engine.POSTGRESQL, SMALL), tmp_path, postgresql_house_url, told.append)

    assert outcome.broken == (), "\n".join((*told, *outcome.broken))
    assert outcome.figures["kills"] == SMALL.kills
    assert outcome.figures["sessions"] >= SMALL.stations


@pytest.mark.parametrize("engine", Engine)
def test_the_seed_repeats_the_plan_and_another_seed_is_another_plan(engine: Engine) -> None:
    """A round that failed is worth something only if its faults can be had again."""
    plan = plan_of(7, engine)

    assert str(plan_of(7, engine)) == str(plan)
    assert rows_of(plan_of(7, engine)) == rows_of(plan)
    assert len({str(plan_of(seed, engine)) for seed in range(20)}) == 20
    assert plan.kills == FULL.kills == 20
    assert len(rows_of(plan)) == 600


def _a_capture_twice_as_big(records: Records) -> None:
    intents = [
        one
        for line in records.psp_file.read_text("utf-8").splitlines()
        for one in json.loads(line).get("put", [])
        if one["object"] == "payment_intent" and one["amount_received"]
    ]
    more = {**intents[-1], "amount_received": intents[-1]["amount_received"] * 2}
    with records.psp_file.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": 0, "account": "acct", "put": [more]}) + "\n")


def _a_delivery_that_nobody_billed(records: Records) -> None:
    lines = records.site_file.read_text("utf-8").splitlines()
    last = [json.loads(line) for line in lines if '"delivered"' in line][-1]
    with records.site_file.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**last, "row": "one-more", "started_at": "2018-08-25T00:00:00Z"}) + "\n")


def _a_job_that_nobody_does(records: Records) -> None:
    _change(records, "UPDATE jobs SET state = 'leased' WHERE job_id = (SELECT max(job_id) FROM jobs)")


def _a_number_that_is_skipped(records: Records) -> None:
    _change(
        records, "UPDATE invoices SET sequence = sequence + 1 WHERE sequence = (SELECT max(sequence) FROM invoices)"
    )


SABOTAGE: dict[Callable[[Records], None], str] = {
    _a_capture_twice_as_big: "the provider took",
    _a_delivery_that_nobody_billed: "delivery one-more",
    _a_job_that_nobody_does: "is leased after",
    _a_number_that_is_skipped: "numbers of",
}
"""What is worth something only if it finds what is broken: a fault, and words of what is said about it."""


def _said_after(records: Records, spoil: Callable[[Records], None]) -> str:
    """What is found after something was spoilt; then it is as it was."""
    database = records.settings.data_dir / "tallywatt.db"
    kept = {path: path.read_bytes() for path in (records.psp_file, records.site_file, database)}
    spoil(records)
    said = "\n".join(broken_truths(records))
    for path, content in kept.items():
        path.write_bytes(content)
    return said


def _change(records: Records, sql: str) -> None:
    connection = connect(records.settings.url)
    try:
        connection.begin()
        assert connection.change(sql) == 1
        connection.commit()
    finally:
        connection.close()
