"""The janitor: now and then looks for what fell asleep, and gives it its job back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from tallywatt.workflows.check_station import plan_checks
from tallywatt.workflows.read_settlements import WakeSettlements, wake_settlements
from tallywatt.workflows.sweep_quiet import SweepQuiet, sweep_quiet
from tallywatt.workflows.wake_unresolved import WakeUnresolved, wake_unresolved

if TYPE_CHECKING:
    from tallywatt.wiring import House

log = structlog.get_logger(__name__)

ROUND_SECONDS = 60.0


class Janitor:
    """Rounds through all operators; a synchronous `step()`, and a thread that does nothing but call it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def step(self) -> int:
        """One round: how many operations with providers were looked at because they have been on their way for long."""
        self._house.forget()
        quiet = self._house.settings.quiet_session_hours * 3600
        operators = [one["id"] for one in self._house.ask_now(self._house.views.operators)]
        for operator in operators:
            self._house.write_now(operator, wake_settlements, WakeSettlements(), actor="janitor")
            self._house.write_now(operator, plan_checks, None, actor="janitor")
            self._house.write_now(operator, sweep_quiet, SweepQuiet(quiet), actor="janitor")
        return sum(
            self._house.write_now(operator, wake_unresolved, WakeUnresolved(), actor="janitor")
            for operator in operators
        )

    def start(self) -> None:
        """Begin to make rounds, the first at once: a start may follow a crash."""
        self._thread = threading.Thread(target=self._run, name="janitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make no more rounds."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.step()
            except Exception:
                log.exception("janitor.failed")
            self._stopping.wait(ROUND_SECONDS)
