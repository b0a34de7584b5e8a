"""Jobs are claimed with a lease, done once, retried with patience, and visible when they fail for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.adapters.storage.claims import Claim, Ended, RunJob, claim, end_job, free_leases, run_job
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.jobs import BACKOFF_SECONDS, PATIENCE, Job, JobState
from tests.migrated import house_url, migrated_file, postgresql_house_url, spare_databases, sqlite_house_url
from tests.workflows.house_of import HouseOf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.storage.claims import Claimed
    from tallywatt.workflows.ports import UnitOfWork

__all__ = ["house_url", "migrated_file", "postgresql_house_url", "spare_databases", "sqlite_house_url"]

ANY = Claim(("errand",), 10, 60, "worker 1")


@pytest.fixture
def house(house_url: str) -> Iterator[HouseOf]:
    """A house on each engine."""
    with HouseOf(house_url) as built:
        built.furnish()
        yield built


def ask_for(house: HouseOf, subject: str) -> None:
    """Write down an errand."""
    house.do(lambda work, job: work.jobs.add(job), Job("errand", subject))


def claimed(house: HouseOf, by: str = "worker 1") -> list[Claimed]:
    """What a worker gets now."""
    return house.do(claim, Claim(("errand",), 10, 60, by))


def state_of(house: HouseOf, subject: str) -> JobState:
    """Where the errand stands."""
    [row] = house.rows.stored_jobs.by(kind="errand", subject_id=subject)
    return row.state


def test_a_job_is_given_to_one_worker_at_a_time(house: HouseOf) -> None:
    """Two workers that send the same operation would race each other at the provider."""
    ask_for(house, "a")

    assert [one.job.subject_id for one in claimed(house)] == ["a"]
    assert claimed(house, by="worker 2") == []


def test_a_job_of_a_dead_worker_comes_back_when_its_lease_ends(house: HouseOf) -> None:
    """A killed process leaves nothing undone."""
    ask_for(house, "a")
    claimed(house)
    house.later(1.5)

    [again] = claimed(house, by="worker 2")

    assert again.job.subject_id == "a"


def test_a_server_that_starts_alone_takes_up_what_a_killed_one_was_doing(house: HouseOf) -> None:
    """A payment must not wait for the lease of a process that is dead."""
    ask_for(house, "a")
    claimed(house)

    assert house.do(free_leases, lambda _: True) == 1

    assert [one.job.subject_id for one in claimed(house, by="worker 2")] == ["a"]


def test_a_server_that_starts_beside_others_takes_up_what_its_dead_ones_did_and_no_more(house: HouseOf) -> None:
    """On PostgreSQL the other processes live: only of those of the own machine it is known which have ended."""
    for subject in ("a", "b"):
        ask_for(house, subject)
        house.do(claim, Claim(("errand",), 1, 60, "dead" if subject == "a" else "alive"))

    assert house.do(free_leases, lambda who: who == "dead") == 1

    assert [one.job.subject_id for one in claimed(house, by="worker 3")] == ["a"]


@pytest.mark.parametrize("is_freed", [True, False], ids=["freed at the next start", "run out"])
def test_a_worker_that_dies_takes_none_of_a_jobs_attempts(house: HouseOf, is_freed: bool) -> None:
    """A server that is killed in a circle has tried nothing: a payment is not given up for it at the first real failure."""
    ask_for(house, "a")
    for _ in range(PATIENCE - 1):
        [one] = claimed(house)
        assert one.job.attempts == 1
        if is_freed:
            house.do(free_leases, lambda _: True)
        else:
            house.later(1.5)

    [last] = claimed(house)
    assert house.do(end_job, Ended(last.job, "no connection")) is JobState.READY
    assert claimed(house) == []
    house.later(0.1)
    [again] = claimed(house)
    assert again.job.attempts == 2


@pytest.mark.parametrize("is_freed", [True, False], ids=["freed at the next start", "run out"])
def test_a_job_that_ends_its_worker_each_time_runs_alone_later_and_later_and_at_last_is_shown(
    house: HouseOf, is_freed: bool
) -> None:
    """What eats all memory must not stop the payments of everybody else: they have their turn between two of its runs."""
    for subject in ("poison", "other"):
        ask_for(house, subject)
    begun = house.now
    cuts = 0
    while state_of(house, "poison") is not JobState.FAILED:
        held = {one.job.subject_id for one in claimed(house)}
        if not held:
            rows = [one for one in house.rows.stored_jobs.by(kind="errand") if one.state is not JobState.DONE]
            house.now = min(one.lease_until or one.run_at for one in rows)
            continue
        if "poison" in held:
            cuts += 1
            assert held == ({"poison"} if cuts > PATIENCE else {"poison", "other"})
            house.do(free_leases, lambda _: True) if is_freed else house.later(1.5)
        if held == {"other"}:
            [other] = house.rows.stored_jobs.by(subject_id="other")
            house.do(end_job, Ended(other))

    assert cuts == PATIENCE + len(BACKOFF_SECONDS)
    assert house.now - begun >= sum(BACKOFF_SECONDS) * 1000
    assert state_of(house, "other") is JobState.DONE
    [failed] = house.rows.stored_jobs.by(subject_id="poison")
    assert failed.last_error == f"the process that did it has ended {cuts} times in a row"
    assert claimed(house) == []


def test_a_job_that_a_person_lets_run_again_is_no_suspect(house: HouseOf) -> None:
    """There is more memory now, or another version: it begins anew, and whatever it says clears it."""
    ask_for(house, "a")
    for _ in range(PATIENCE - 1):
        claimed(house)
        house.do(free_leases, lambda _: True)
    [one] = claimed(house)
    assert one.job.cut_short == PATIENCE - 1
    house.do(end_job, Ended(one.job, "no connection"))
    house.later(0.1)
    claimed(house)
    house.do(free_leases, lambda _: True)

    [again] = claimed(house)

    assert (again.job.cut_short, again.job.is_suspect, again.job.attempts) == (1, False, 2)


def test_a_job_asked_for_twice_is_one_job_and_one_that_is_done_can_be_wanted_again(house: HouseOf) -> None:
    """Workflows may run twice; the outbox must not grow by it."""
    ask_for(house, "a")
    ask_for(house, "a")
    [one] = claimed(house)
    house.do(end_job, Ended(one.job))
    assert state_of(house, "a") is JobState.DONE

    ask_for(house, "a")

    assert state_of(house, "a") is JobState.READY


def test_a_job_that_is_asked_for_again_while_it_runs_runs_once_more(house: HouseOf) -> None:
    """What it has looked at may be what has changed: a driver moves the hold while the start for the other place is made."""
    ask_for(house, "a")
    [one] = claimed(house)
    ask_for(house, "a")
    ask_for(house, "a")
    assert claimed(house, by="worker 2") == [], "one after the other, never side by side"

    house.do(end_job, Ended(one.job))

    [again] = claimed(house)
    assert again.job.attempts == 1
    house.do(end_job, Ended(again.job))
    assert state_of(house, "a") is JobState.DONE
    assert claimed(house) == []


def test_a_job_asked_for_again_while_it_fails_for_good_runs_once_more(house: HouseOf) -> None:
    """It was asked for after what made it fail."""
    ask_for(house, "a")
    [one] = claimed(house)
    ask_for(house, "a")

    house.do(end_job, Ended(one.job, "there is no such thing", for_good=True))

    assert [again.job.subject_id for again in claimed(house)] == ["a"]


def test_a_job_asked_for_again_for_later_runs_then(house: HouseOf) -> None:
    """Not before the time that it was asked for, and whatever became of the run that was on its way."""
    ask_for(house, "a")
    claimed(house)
    later = Job("errand", "a", not_before=Instant(house.now + 5 * 60_000))
    house.do(lambda work, job: work.jobs.add(job), later)
    house.do(free_leases, lambda _: True)
    [one] = claimed(house, by="worker 2")

    house.do(end_job, Ended(one.job))

    assert claimed(house) == []
    house.later(5)
    assert [again.job.subject_id for again in claimed(house)] == ["a"]


def test_a_worker_that_lost_its_lease_ends_nothing(house: HouseOf) -> None:
    """Another one does the job by now: were it marked done, it could be asked for and done a third time beside the second."""
    ask_for(house, "a")
    [slow] = claimed(house)
    house.later(1.5)
    [quick] = claimed(house, by="worker 2")

    house.do(end_job, Ended(slow.job))
    assert state_of(house, "a") is JobState.LEASED

    house.do(end_job, Ended(quick.job))
    assert state_of(house, "a") is JobState.DONE


def test_a_job_that_fails_is_retried_later_and_later_and_then_stays_visible(house: HouseOf) -> None:
    """What fails for good must wait for a person, not vanish."""
    ask_for(house, "a")
    runs = 0
    while found := claimed(house):
        runs += 1
        house.do(end_job, Ended(found[0].job, "it is raining"))
        assert claimed(house) == [], "it waits before it runs again"
        house.later(24 * 60)

    assert runs == len(BACKOFF_SECONDS) + 1
    assert state_of(house, "a") is JobState.FAILED
    [row] = house.rows.stored_jobs.by(kind="errand")
    assert row.last_error == "it is raining"


def test_a_job_that_only_waits_never_fails_for_it(house: HouseOf) -> None:
    """A station may be away for days; that is no failure of the job, and takes none of its later attempts away."""
    ask_for(house, "a")
    for _ in range(len(BACKOFF_SECONDS) * 2):
        [found] = claimed(house)
        house.do(end_job, Ended(found.job, "the station is away", after_seconds=30))
        house.later(1)
    [found] = claimed(house)

    house.do(end_job, Ended(found.job, "it is raining"))

    assert state_of(house, "a") is JobState.READY


def test_the_workflow_of_a_job_and_its_end_are_one_transaction(house: HouseOf) -> None:
    """A job that is marked done without its effect would lose money; the other way round would do it twice."""
    ask_for(house, "a")
    [found] = claimed(house)

    def fails(work: UnitOfWork, command: str) -> None:
        work.jobs.add(Job("errand", "b"))
        raise ValueError(command)

    with pytest.raises(Exception, match="rain"):
        house.do(run_job, RunJob(found.job, fails, "rain"))

    assert state_of(house, "a") is JobState.LEASED
    assert house.rows.stored_jobs.by(kind="errand", subject_id="b") == []
