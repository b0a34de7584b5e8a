"""Jobs: written with what wants them, claimed with a lease, retried with growing pauses, and visible when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.adapters.storage.claims import Claim, Ended, claim, end_job
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.jobs import BACKOFF_SECONDS, Job, JobState

if TYPE_CHECKING:
    from tallywatt.adapters.storage.claims import Claimed
    from tallywatt.workflows.jobs import StoredJob
    from tallywatt.workflows.ports import UnitOfWork
    from tests.workflows.house_of import HouseOf


def want(work: UnitOfWork, job: Job) -> None:
    """Write down a job."""
    work.jobs.add(job)


def claim_all(house: HouseOf, owner: str = "one", kinds: tuple[str, ...] = ("print",)) -> list[Claimed]:
    """What a worker gets."""
    return house.do(claim, Claim(kinds, 10, 60, owner))


def the_job(house: HouseOf) -> StoredJob:
    """The one job that there is."""
    [job] = house.rows.stored_jobs.by(kind="print")
    return job


def test_the_same_job_again_is_one_job_while_it_waits(house: HouseOf) -> None:
    """Kind and subject are its key: asking twice does not do it twice."""
    for _ in range(3):
        house.do(want, Job("print", "INV-1"))
    house.do(want, Job("print", "INV-2"))
    house.do(want, Job("send", "INV-1"))

    assert len(house.rows.stored_jobs.by(kind="print")) == 2
    assert len(house.rows.stored_jobs.by(kind="send")) == 1


def test_a_job_that_is_done_may_be_wanted_again(house: HouseOf) -> None:
    """The same row goes back to ready, with what is wanted now."""
    house.do(want, Job("print", "INV-1", {"n": 1}))
    [claimed] = claim_all(house)
    house.do(end_job, Ended(claimed.job))
    assert the_job(house).state is JobState.DONE

    house.do(want, Job("print", "INV-1", {"n": 2}))

    assert the_job(house).state is JobState.READY
    assert the_job(house).payload == {"n": 2}
    assert the_job(house).attempts == 0


def test_a_job_is_claimed_by_one_worker(house: HouseOf) -> None:
    """The lease keeps it until it ends."""
    house.do(want, Job("print", "INV-1"))

    assert len(claim_all(house, "one")) == 1
    assert claim_all(house, "two") == []
    assert the_job(house).leased_by == "one"


def test_a_lease_that_ran_out_is_claimed_again(house: HouseOf) -> None:
    """A worker that died leaves nothing undone."""
    house.do(want, Job("print", "INV-1"))
    claim_all(house, "one")
    house.later(1.1)

    assert len(claim_all(house, "two")) == 1
    assert the_job(house).attempts == 1


def test_a_job_is_not_claimed_before_its_time_nor_by_another_lane(house: HouseOf) -> None:
    """`not_before` is machine time; a worker takes the kinds of its lane."""
    house.do(want, Job("print", "INV-1", not_before=Instant(house.now + 60_000)))

    assert claim_all(house) == []
    house.later(1)
    assert claim_all(house, kinds=("send",)) == []
    assert len(claim_all(house)) == 1


def test_a_failing_job_waits_longer_each_time_and_fails_for_good_at_last(house: HouseOf) -> None:
    """What fails for good is visible, with its last error, until somebody tries it again."""
    house.do(want, Job("print", "INV-1"))
    pauses = []
    while the_job(house).state is not JobState.FAILED:
        [claimed] = claim_all(house)
        house.do(end_job, Ended(claimed.job, error="no paper"))
        pauses.append(the_job(house).run_at - house.now)
        house.now = Instant(max(house.now, the_job(house).run_at))

    assert the_job(house).last_error == "no paper"
    assert len(pauses) == len(BACKOFF_SECONDS) + 1
    assert pauses[:-1] == sorted(pauses[:-1])
    assert claim_all(house) == []


def test_a_wait_is_no_failure(house: HouseOf) -> None:
    """A job may ask to be run again after so long, however often."""
    house.do(want, Job("print", "INV-1"))
    for _ in range(len(BACKOFF_SECONDS) + 3):
        [claimed] = claim_all(house)
        house.do(end_job, Ended(claimed.job, error="not yet", after_seconds=30))
        house.later(0.5)

    assert the_job(house).state is JobState.READY


def test_a_job_is_there_exactly_when_what_wanted_it_is(house: HouseOf) -> None:
    """The outbox: one transaction for both."""
    house.wire().charge(1_000_000)

    [invoice] = house.rows.invoices.by()
    [job] = house.rows.stored_jobs.by(kind="print_invoice")
    assert job.subject_id == invoice.invoice_id
