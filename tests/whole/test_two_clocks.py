"""Business time may stand years away: what belongs to the machine's time does not notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.kernel.clock import BusinessAnchor, Instant
from tallywatt.payments.payment import PaymentState
from tallywatt.wiring import Claim
from tests.simulators.psp.running import RunningPsp
from tests.whole.town import Town
from tests.workflows.house_of import KWH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

YEAR = 365 * 24 * 3_600_000


@pytest.fixture
def town(engine_url: str, tmp_path: Path) -> Iterator[Town]:
    """An installation that collects."""
    made = Town(tmp_path / "data", None if engine_url.startswith("sqlite:") else engine_url)
    made.settings.data_dir.mkdir()
    with RunningPsp(tmp_path / "psp.jsonl") as psp:
        made.furnish(psp)
        yield made
        made.close()


@pytest.mark.parametrize("years", [-5, 5])
def test_a_house_whose_business_time_is_years_away_still_leases_collects_and_waits(town: Town, years: int) -> None:
    """A demonstration of last winter, or a test of next year's prices, on a machine of today."""
    machine = town.house.machine.now()
    town.house.anchor = BusinessAnchor(machine, Instant(machine + years * YEAR))

    town.wire.charge(2 * KWH)
    [first] = town.house.claim(Claim(("call_provider",), 5, 60, "worker that dies"))
    assert town.house.claim(Claim(("call_provider",), 5, 60, "another one")) == []
    held = town.rows(lambda work: work.stored_jobs.get(first.job.job_id))
    assert machine <= held.created_at <= held.lease_until <= town.house.machine.now() + 60_000
    town.house.end_job(first.operator_id, first.job, "lost", after_seconds=0)
    town.work("providers")

    [payment] = town.rows(lambda work: work.payments.by())
    assert payment.state is PaymentState.CAPTURED
    for operation in town.rows(lambda work: work.operations.by()):
        assert machine <= operation.created_at <= operation.first_sent_at <= town.house.machine.now()
    [invoice] = town.rows(lambda work: work.invoices.by())
    assert abs(invoice.issued_at - machine - years * YEAR) < 3_600_000
    [session] = town.rows(lambda work: work.sessions.by())
    assert abs(session.booked_at - machine - years * YEAR) < 3_600_000
    assert town.audit() == []
