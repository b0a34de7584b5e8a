"""Between the event loop and the writer's thread: facts go in in order, results come back in batches.

When the writer's queue is full nothing is refused: the station's facts wait in its own line, in order, and are handed in
again a moment later. A CALLERROR would make many stations drop what they wanted to say; a late answer makes them wait, or
say it again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any

import structlog

from tallywatt.kernel.errors import Busy
from tallywatt.kernel.measures import MICROSECONDS, Spread

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tallywatt.workflows.ports import UnitOfWork, Writer

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5


class Submission(ABC):
    """One command on its way through the writer. `done` is called on the writer's thread, `settle` on the loop."""

    __slots__ = ("_handover", "command", "result", "workflow")

    def __init__(self, handover: Handover, workflow: Callable[[UnitOfWork, Any], Any], command: object) -> None:
        self._handover = handover
        self.workflow = workflow
        self.command = command
        self.result: Any = None

    @property
    @abstractmethod
    def operator(self) -> str:
        """Whose unit of work it needs."""

    @property
    @abstractmethod
    def actor(self) -> str:
        """Who says it."""

    @property
    def cause(self) -> str:
        """The message that carried it."""
        return ""

    @abstractmethod
    def is_too_old(self, now: float) -> bool:
        """Whether nobody waits for it any more and it may be given up; never so for money and energy."""

    @abstractmethod
    def give_up(self) -> None:
        """It was too old. Nothing of it has happened."""

    @abstractmethod
    def settle(self) -> None:
        """The result is there and durable."""

    def done(self, result: Any) -> None:
        """The writer's call, on its thread."""
        self.result = result
        self._handover.finished(self)


class Line:
    """The facts of one connection, handed to the writer in the order in which they were told."""

    __slots__ = ("_handover", "_waiting")

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._waiting: deque[Submission] | None = None

    def send(self, submission: Submission) -> None:
        """Hand it in, or let it wait behind those that wait already."""
        if self._waiting:
            self._waiting.append(submission)
        elif not self._handover.submit(submission):
            self._waiting = deque((submission,))
            self._handover.waits(self)

    def try_again(self, now: float) -> bool:
        """Hand in what waits; whether nothing waits any more."""
        waiting = self._waiting
        while waiting:
            head = waiting[0]
            if head.is_too_old(now):
                waiting.popleft()
                head.give_up()
            elif self._handover.submit(head):
                waiting.popleft()
            else:
                return False
        self._waiting = None
        return True


class Handover:
    """The one place where the loop and the writer's thread meet."""

    def __init__(self, writer: Writer, loop: asyncio.AbstractEventLoop) -> None:
        self._writer = writer
        self._loop = loop
        self._finished: deque[Submission] = deque()
        self._woken = False
        self._lines: dict[Line, None] = {}
        self._pause = FIRST_PAUSE_SECONDS
        self._retry: asyncio.TimerHandle | None = None
        self.calls = Spread(MICROSECONDS, "action")
        """From the last byte of a CALL to the answer behind its commit."""
        self.refusals = 0
        """How often the writer was busy."""

    def submit(self, submission: Submission) -> bool:
        """Hand a command to the writer; False when it is busy."""
        try:
            self._writer.submit(
                submission.operator,
                submission.workflow,
                submission.command,
                submission.done,
                actor=submission.actor,
                cause=submission.cause,
            )
        except Busy:
            self.refusals += 1
            return False
        return True

    def finished(self, submission: Submission) -> None:
        """Called on the writer's thread. One wake-up of the loop serves all that finish before it runs."""
        self._finished.append(submission)
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._settle)
            except RuntimeError:
                # The loop is closed: nobody is left to be answered. What was written stays; the station says it again.
                self._finished.clear()

    def _settle(self) -> None:
        # Lowered before the queue is read: what arrives from here on wakes the loop once more.
        self._woken = False
        while self._finished:
            finished = self._finished.popleft()
            try:
                finished.settle()
            except Exception:  # one answer that cannot be given must not keep the others back
                log.exception("ocpp.settling_failed", cause=finished.cause)

    def waits(self, line: Line) -> None:
        """A line whose first fact the writer could not take."""
        self._lines[line] = None
        if self._retry is None:
            self._retry = self._loop.call_later(self._pause, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        now = self._loop.time()
        self._lines = {line: None for line in self._lines if not line.try_again(now)}
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS) if self._lines else FIRST_PAUSE_SECONDS
        if self._lines:
            self._retry = self._loop.call_later(self._pause, self._try_again)

    def close(self) -> None:
        """Stop trying. What waits was never acknowledged; its stations say it again."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._lines.clear()
