"""A write under an idempotency key: done once and answered alike, also when two come at the same moment."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.errors import BadInput, Conflict, IdempotencyMismatch
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.answer_once import Answer, AnswerOnce, answer_once
from tallywatt.workflows.jobs import JobState
from tallywatt.workflows.retry_job import RetryJob, retry_job

if TYPE_CHECKING:
    from tests.workflows.house_of import HouseOf

ASKED = AnswerOnce(
    "key:1", "k1", "hash", add_location, AddLocation("north", "North"), lambda row: {"id": row.location_id}, 201
)


def test_the_second_answer_is_the_first(house: HouseOf) -> None:
    """Byte for byte, and nothing was written twice."""
    first, again = house.do(answer_once, ASKED), house.do(answer_once, ASKED)
    assert (first.status, first.replayed) == (201, False)
    assert again == replace(first, replayed=True)
    assert len(house.rows.locations.by(reference="north")) == 1


def test_another_request_under_the_key_is_refused(quick_house: HouseOf) -> None:
    """By its fingerprint."""
    quick_house.do(answer_once, ASKED)
    with pytest.raises(IdempotencyMismatch):
        quick_house.do(answer_once, replace(ASKED, request_hash="other"))


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb"])
def test_a_key_that_is_none_is_refused(quick_house: HouseOf, key: str) -> None:
    """Bound before it reaches a table."""
    with pytest.raises(BadInput):
        quick_house.do(answer_once, replace(ASKED, idempotency_key=key))


def test_two_at_the_same_moment_are_one(house: HouseOf) -> None:
    """Two connections, one key: one does it, the other hears its answer."""
    answers: list[Any] = []
    barrier = threading.Barrier(2)

    def ask() -> None:
        writer = house.another_writer()
        writer.submit(house.operator, answer_once, ASKED, answers.append, actor="test")
        barrier.wait()
        writer.step()
        writer.stop()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(one, Answer) for one in answers), answers
    assert len({one.body for one in answers}) == 1
    assert sorted(one.replayed for one in answers) == [False, True]


def test_a_job_that_is_done_is_not_tried_again(quick_house: HouseOf) -> None:
    """And one that waits is left where it is."""
    house = quick_house
    house.wire().charge(1_000_000)
    job = house.rows.stored_jobs.by(kind="print_invoice")[0]
    assert house.do(retry_job, RetryJob(job.job_id)).state is JobState.READY
    house.do(lambda work, row: work.stored_jobs.put(row), replace(job, state=JobState.DONE))
    with pytest.raises(Conflict):
        house.do(retry_job, RetryJob(job.job_id))
