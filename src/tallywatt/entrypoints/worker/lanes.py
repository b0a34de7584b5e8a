"""Lanes of workers: a slow payment provider must not hold up an invoice, nor a silent station a payment.

Each lane has a synchronous `step()`; its threads do nothing but call it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from tallywatt.entrypoints.worker.handlers import Handlers
from tallywatt.kernel.errors import Busy, NotFound, TallywattError
from tallywatt.wiring import Claim, TryLater, process_name

if TYPE_CHECKING:
    from tallywatt.wiring import Claimed, House

log = structlog.get_logger(__name__)

BUSY_SECONDS = 10
"""After how long a job runs again that met a busy or broken database."""
IDLE_SECONDS = 0.5
"""Jobs that become due by time alone are found by looking this often."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Jobs of some kinds, worked off by some threads. The lease is longer than the longest call in the lane."""

    name: str
    kinds: tuple[str, ...]
    threads: int
    batch: int
    lease_seconds: int


LANES = {
    "house": Lane(
        "house",
        (
            "finish_session",
            "bill_session",
            "credit_refund",
            "lose_stop",
            "close_gap",
            "prove_session",
            "secure_hold",
            "check_station",
            "judge_station",
            "settle_station_check",
            "verify_local_list",
            "sync_local_list",
            "spread_local_lists",
            "keep_tariffs",
            "verify_tariffs",
            "spread_tariffs",
            "watch_profile",
            "keep_session_tariff",
            "work_off",
            "work_off_more",
            "watch_command",
            "sign_certificate",
            "renew_certificate",
            "start_paid_session",
            "release_hold",
            "end_presentation",
            "watch_hold",
            "watch_limit",
            "watch_reservation",
            "show_price",
            "show_final_price",
            "expire_approval",
            "settle_ourselves",
        ),
        1,
        32,
        30,
    ),
    "providers": Lane(
        "providers", ("call_provider", "ask_provider", "look_at_page", "check_reader", "accept_dispute"), 4, 2, 120
    ),
    "stations": Lane("stations", ("send_command",), 4, 1, 120),
    "settlements": Lane("settlements", ("read_settlements", "read_report", "compare_payment"), 1, 1, 600),
    "papers": Lane("papers", ("print_invoice",), 1, 16, 120),
    "erasures": Lane("erasures", ("erase_traces", "erase_papers"), 1, 1, 3600),
    "imports": Lane("imports", ("run_import",), 1, 1, 300),
    "audits": Lane("audits", ("run_audit",), 1, 1, 3600),
    "corrections": Lane("corrections", ("price_correction", "carry_out_correction"), 1, 1, 3600),
    "bank": Lane("bank", ("carry_line", "carry_line_back", "end_debits"), 1, 1, 600),
    "letters": Lane("letters", ("send_letter", "tell_debit", "tell_low_balance", "tell_rest"), 1, 1, 120),
}


class Workers:
    """The workers of one process."""

    def __init__(self, house: House, lanes: tuple[Lane, ...]) -> None:
        self._house = house
        self._lanes = lanes
        self._handlers = Handlers(house)
        self._stopping = False
        self._bells = {lane.name: threading.Condition() for lane in lanes}
        self._threads: list[threading.Thread] = []
        self._owner = process_name()
        self._left: deque[Claimed] = deque()

    def start(self) -> None:
        """Start the threads of all lanes."""
        self._house.on_jobs(self._ring)
        for lane in self._lanes:
            for number in range(lane.threads):
                thread = threading.Thread(
                    target=self._run, args=(lane,), name=f"worker {lane.name} {number}", daemon=True
                )
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Finish what is being done, then end. A job that was not begun keeps its lease until it runs out."""
        self._stopping = True
        self._handlers.stop()
        self._ring()
        for thread in self._threads:
            thread.join()

    def step(self, lane: Lane) -> int:
        """Claim due jobs of a lane and do them; how many."""
        self._give_back()
        claimed = self._house.claim(Claim(lane.kinds, lane.batch, lane.lease_seconds, self._owner))
        for place, one in enumerate(claimed):
            try:
                self.do(one)
            except Exception:
                # Not even its end could be written down. Nobody does the others of the batch before they are given back.
                self._left.extend(claimed[place:])
                raise
        return len(claimed)

    def _give_back(self) -> None:
        """What an earlier step had to leave: nobody waits for leases of a worker that lives."""
        while self._left:
            one = self._left.popleft()
            try:
                self._house.end_job(one.operator_id, one.job, "its worker was interrupted", after_seconds=0)
            except Exception:
                self._left.append(one)
                raise

    def do(self, claimed: Claimed) -> None:
        """Do one job. Whatever goes wrong, the job says so and comes again, or stays visible as failed."""
        job = claimed.job
        told = log.bind(job=job.job_id, kind=job.kind, subject=job.subject_id, cause=job.cause)
        try:
            self._handlers.do(claimed)
            told.debug("job.done")
        except TryLater as later:
            told.debug("job.waits", why=str(later))
            self._house.end_job(claimed.operator_id, job, str(later), after_seconds=later.after_seconds)
        except Busy as busy:
            # The house itself cannot take it in at the moment, which says nothing about the job.
            told.info("job.waits", why=str(busy), code=busy.code)
            self._house.end_job(claimed.operator_id, job, f"{busy.code}: {busy}", after_seconds=BUSY_SECONDS)
        except NotFound as error:
            told.warning("job.given_up", why=str(error))
            self._house.end_job(claimed.operator_id, job, f"{error.code}: {error}", for_good=True)
        except TallywattError as error:
            told.info("job.tries_again", why=str(error), code=error.code)
            self._house.end_job(claimed.operator_id, job, f"{error.code}: {error}")
        except Exception as error:  # noqa: BLE001  # whatever it is, the job says so and comes again
            told.exception("job.failed")
            self._house.end_job(claimed.operator_id, job, f"{type(error).__name__}: {error}")

    def _ring(self) -> None:
        for bell in self._bells.values():
            with bell:
                bell.notify_all()

    def _run(self, lane: Lane) -> None:
        bell = self._bells[lane.name]
        while not self._stopping:
            try:
                found = self.step(lane)
            except Busy:
                found = 0
            except Exception:
                log.exception("worker.failed", lane=lane.name)
                found = 0
            if not found:
                with bell:
                    if not self._stopping:
                        bell.wait(IDLE_SECONDS)
