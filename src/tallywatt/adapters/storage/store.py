"""The store: one writer, several readers, one database; opened once a process."""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from tallywatt.adapters.storage.connections import connect, database_errors, is_sqlite, may_pass, sqlite_path
from tallywatt.adapters.storage.migrations import require_current
from tallywatt.adapters.storage.sequencer import give_positions
from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.writer import GroupWriter
from tallywatt.kernel.errors import Busy, SecondWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from io import TextIOWrapper

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.unit import SqlUnitOfWork
    from tallywatt.kernel.identity import Draw
    from tallywatt.workflows.ports import UnitOfWork

log = structlog.get_logger(__name__)

C = TypeVar("C")
R = TypeVar("R")

READERS = 4


class Store:
    """Storage as the house uses it: `write` through the one writer, `reading` on connections of their own."""

    def __init__(self, url: str, draw: Callable[[], Draw], *sealing_keys: bytes) -> None:
        require_current(url)
        self.url = url
        self.is_sqlite = is_sqlite(url)
        self._lock_file = take_write_lock(url) if self.is_sqlite else None
        self.vault = Vault(*sealing_keys)
        self.writer = GroupWriter(lambda: connect(url), draw, self.vault)
        self._readers: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        # None stands for a place whose connection is still to be opened
        self._opened = 0
        self._opening = threading.Lock()
        self._sequencing: Connection | None = None

    def start(self) -> None:
        """Start the writer's thread."""
        self.writer.start()

    async def write(
        self,
        operator: str,
        workflow: Callable[[UnitOfWork, C], R],
        command: C,
        *,
        actor: str,
        cause: str = "",
    ) -> R:
        """Run a workflow through the writer and wait for its commit."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def done(result: Any) -> None:
            loop.call_soon_threadsafe(_settle, answer, result)

        self.writer.submit(operator, workflow, command, done, actor=actor, cause=cause)
        result: R = await answer
        return result

    def write_now(
        self,
        operator: str,
        workflow: Callable[[UnitOfWork, C], R],
        command: C,
        *,
        actor: str,
        cause: str = "",
    ) -> R:
        """The same for a thread that may block: a worker, the command line."""
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.writer.submit(operator, workflow, command, answers.put, actor=actor, cause=cause)
        self.writer.work_here()
        result = answers.get()
        if isinstance(result, Exception):
            raise result
        found: R = result
        return found

    def write_all_now(
        self,
        operator: str,
        orders: Sequence[tuple[Callable[[UnitOfWork, Any], Any], object]],
        *,
        actor: str,
        cause: str = "",
    ) -> list[Any]:
        """Run several commands, each all or nothing, which may share a commit; results or errors, in their order."""
        answers: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        for place, (workflow, command) in enumerate(orders):

            def done(result: Any, place: int = place) -> None:
                answers.put((place, result))

            self.writer.submit(operator, workflow, command, done, actor=actor, cause=cause)
        self.writer.work_here()
        found = dict(answers.get() for _ in orders)
        return [found[place] for place in range(len(orders))]

    def run_now(
        self, operator: str, workflow: Callable[[SqlUnitOfWork, C], R], command: C, *, actor: str, cause: str = ""
    ) -> R:
        """Run a piece of the machinery (claims, roll-ups) that needs the connection itself, through the same writer."""
        machinery: Callable[[Any, C], R] = workflow
        return self.write_now(operator, machinery, command, actor=actor, cause=cause)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only connection, all of one moment: figures that are compared must not be of two.

        At most a few at once, the others wait. Busy while the database is away.
        """
        connection = self._reader()
        try:
            connection.snapshot()
            yield connection
            connection.rollback()
        except database_errors() as error:
            # It may be broken for good (the server was restarted); the next one is new.
            self._drop(connection)
            _say_that_it_passes(error)
            raise
        except BaseException:
            connection.rollback()
            self._readers.put(connection)
            raise
        else:
            self._readers.put(connection)

    def ask(self, question: Callable[..., R], *values: Any) -> R:
        """Ask a question of a read-only connection. One whose line was lost is asked again on the next, and on a new one."""
        for _ in range(READERS):
            try:
                with self.reading() as connection:
                    return question(connection, *values)
            except Busy as busy:
                if busy.code != "storage.unavailable":
                    raise
                log.info("store.asked_again", error=str(busy.__cause__))
        with self.reading() as connection:
            return question(connection, *values)

    async def read(self, question: Callable[..., R], *values: Any) -> R:
        """The same, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, lambda: self.ask(question, *values))

    def sequence(self) -> int:
        """Give committed events their positions, until none waits; how many. On SQLite the writer has done it."""
        if self.is_sqlite:
            return 0
        if self._sequencing is None:
            self._sequencing = connect(self.url)
        given = 0
        try:
            while now := give_positions(self._sequencing):
                given += now
        except database_errors():
            self._sequencing = None
            raise
        return given

    def close(self) -> None:
        """Work off the queue, then let go of everything."""
        self.writer.stop()
        while self._opened:
            reader = self._readers.get()
            if reader is not None:
                reader.close()
            self._opened -= 1
        if self._sequencing is not None:
            self._sequencing.close()
        if self._lock_file is not None:
            self._lock_file.close()

    def _drop(self, connection: Connection) -> None:
        self._readers.put(None)
        try:
            connection.close()
        except database_errors():
            log.info("store.connection_was_gone")

    def _reader(self) -> Connection:
        with self._opening:
            if self._readers.empty() and self._opened < READERS:
                self._opened += 1
                self._readers.put(None)
        found = self._readers.get()
        if found is not None:
            return found
        try:
            return connect(self.url, read_only=True)
        except database_errors() as error:
            self._readers.put(None)
            _say_that_it_passes(error)
            raise
        except BaseException:
            self._readers.put(None)
            raise


def _say_that_it_passes(error: Exception) -> None:
    """Busy instead of what a driver says, if it passes; else nothing."""
    if may_pass(error):
        msg = "the database cannot be asked at the moment"
        raise Busy(msg, code="storage.unavailable", remedy="look at the disk and at the database server") from error


def _settle(answer: asyncio.Future[Any], result: Any) -> None:
    if answer.cancelled():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)


def take_write_lock(url: str) -> TextIOWrapper:
    """Own writing to an SQLite file, or SecondWriter. The lock ends with the process, however it ends."""
    path = Path(sqlite_path(url) + ".writer")
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        msg = f"process {owner} writes to this database already"
        raise SecondWriter(msg, remedy="use the running server, or stop it first") from error
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file
