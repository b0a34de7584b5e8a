"""The writer: takes commands from a bounded queue, runs them in groups, commits, and only then lets the answers out.

One synchronous `step()`; the thread at the end of this file does nothing but call it, so that a simulation can call it too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from tallywatt.adapters.storage.connections import CommitUnanswered, database_errors, world_errors
from tallywatt.adapters.storage.unit import SqlUnitOfWork
from tallywatt.adapters.storage.vault import Vault
from tallywatt.kernel.errors import Broken, Busy, Stale, TallywattError
from tallywatt.kernel.measures import MICROSECONDS, Spread
from tallywatt.workflows.foresight import FORESEEN, THEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.identity import Draw, OperatorId
    from tallywatt.workflows.foresight import Foreseen
    from tallywatt.workflows.ports import UnitOfWork

log = structlog.get_logger(__name__)

GROUP_COMMANDS = 64
GROUP_WANTED = 16
"""From this size on a group does not wait for more: what a commit costs is shared well enough."""
PATIENCE_SECONDS = 0.0025
PATIENCE_TIMES = 4
"""How long, and how often, a group waits as long as more keep coming: ten milliseconds at most."""
GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64)
QUEUE_COMMANDS = 20_000
RUNS_OF_ONE_COMMAND = 8
"""How often a command that lost a race is run again before its caller hears of it."""
DOUBT_SECONDS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""The pauses between which it is asked what became of a commit that had no answer: a database restarts in seconds."""

SEQUENCE_LAST = "SELECT last_position FROM sequencer WHERE name = 'events'"
SEQUENCE_STORE = "UPDATE sequencer SET last_position = ? WHERE name = 'events'"


class _GroupLost(Exception):
    """The engine ended the transaction by itself; nothing of the group is there, and nobody may be answered."""


def _tell(whom: Callable[[Any], None], what: object) -> None:
    """Call somebody who may be gone by now (a loop that was closed): that must not stop the writer."""
    try:
        whom(what)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is its own business: what was written is durable
        log.warning("writer.nobody_listens", error=repr(error))


def _may_pass() -> tuple[type[Exception], ...]:
    """What a command may get over by running again: a lost race, a deadlock, a lost connection."""
    return (_GroupLost, Stale, *database_errors())


@dataclass(slots=True)
class Order:
    """A command in the queue, with what was drawn for it once: running it again gives the same."""

    operator: OperatorId
    workflow: Callable[[UnitOfWork, Any], Any]
    command: object
    draw: Draw
    actor: str
    cause: str
    done: Callable[[Any], None]
    result: Any = None


def _foresee(unit: SqlUnitOfWork, group: list[Order]) -> None:
    """Ask at once for what the commands of a group are surely going to ask for: one way to the server instead of many."""
    _ask(unit, [(order, foreseen(order.command)) for order in group if (foreseen := FORESEEN.get(order.workflow))])
    knowing = [order for order in group if order.workflow in THEN]
    found = []
    for order in knowing:
        unit.open(order.operator, order.draw, order.actor, order.cause)
        found.append((order, THEN[order.workflow](unit, order.command)))  # type: ignore[arg-type]  # as in `GroupWriter._one`
    _ask(unit, found)


def _ask(unit: SqlUnitOfWork, foreseen: list[tuple[Order, list[Foreseen]]]) -> None:
    asked: dict[tuple[str, str, tuple[str, ...], bool], dict[tuple[str | int, ...], None]] = {}
    for order, wanted in foreseen:
        for one in wanted:
            names, values = zip(*one.columns, strict=True) if one.columns else ((), ())
            asked.setdefault((order.operator, one.records, names, one.held), {})[values] = None
    # What is held comes first: whether a fact is known already is decided behind the row that orders the facts.
    questions = sorted(asked.items(), key=lambda one: not one[0][3])
    told = []
    for (operator, records, names, held), of_these in questions:
        unit.scope.operator = operator
        told.append(getattr(unit, records).foresight(names, of_these, held=held))
    answers = unit.scope.connection.ask_all(told) if told else []
    for ((operator, records, names, held), of_these), rows in zip(questions, answers, strict=True):
        unit.scope.operator = operator
        getattr(unit, records).foresee(names, of_these, rows, held=held)


class GroupWriter:
    """Runs orders on one connection. Ported as `workflows.ports.Writer`."""

    def __init__(self, connect: Callable[[], Connection], draw: Callable[[], Draw], vault: Vault | None = None) -> None:
        self._connect = connect
        self._draw = draw
        self._vault = vault or Vault(b"\0" * 32)
        self._queue: deque[Order] = deque()
        self._arrived = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._unit: SqlUnitOfWork | None = None
        self._committed = False
        self._crowded = False
        self.after_commit: list[Callable[[bool], None]] = []
        """Called after each group with whether it wrote jobs; must return at once."""
        self._wrote_jobs = False
        self.groups = 0
        self.commands = 0
        self.groups_lost = 0
        """How often a group was undone and its commands run one by one."""
        self.group_sizes = Spread(GROUP_SIZES)
        self.commit_times = Spread(MICROSECONDS)

    def submit(
        self,
        operator: str,
        workflow: Callable[[Any, Any], Any],
        command: object,
        done: Callable[[Any], None],
        *,
        actor: str,
        cause: str = "",
    ) -> None:
        """Queue a command; `done` gets the result or the exception after the commit."""
        order = Order(operator, workflow, command, self._draw(), actor, cause, done)  # type: ignore[arg-type]  # OperatorId is a str
        with self._arrived:
            if len(self._queue) >= QUEUE_COMMANDS or self._stopping:
                msg = "the writer has too much to do; the same request may come again"
                raise Busy(msg)
            self._queue.append(order)
            self._arrived.notify()

    def step(self) -> int:
        """Run one group of what is queued; how many commands were answered."""
        with self._arrived:
            group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_COMMANDS))]
        if not group:
            return 0
        wrote_jobs = self._run_group(group)
        # Before anybody is answered: what waits now is from others, not the next question of whoever was served.
        self._crowded = len(group) > 1 or bool(self._queue)
        for order in group:
            _tell(order.done, order.result)
        self.groups += 1
        self.commands += len(group)
        self.group_sizes.take(len(group))
        for hook in self.after_commit:
            _tell(hook, wrote_jobs)
        return len(group)

    def turn(self, pause: Callable[[float], None] = time.sleep) -> int:
        """One group, which is let fill first where many ask at once, for each commit is paid once; somebody alone never waits.

        It looks again instead of being woken, since a thread that is woken by each arrival costs more than the commit it saves.
        """
        for _ in range(PATIENCE_TIMES if self._crowded else 0):
            before = len(self._queue)
            if before >= GROUP_WANTED or self._stopping:
                break
            pause(PATIENCE_SECONDS)
            if len(self._queue) == before:
                break
        return self.step()

    def work_here(self) -> None:
        """Without a thread of its own the writer works in the thread of whoever waits for an answer."""
        while self._thread is None and self.step():
            pass

    @property
    def waiting(self) -> int:
        """How many commands are in the queue."""
        return len(self._queue)

    @property
    def is_alive(self) -> bool:
        """Whether somebody takes commands out of the queue."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Run in a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Work off what is queued, then end."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._forget_connection()

    def _run(self) -> None:
        while True:
            with self._arrived:
                while not self._queue and not self._stopping:
                    self._arrived.wait()
                if not self._queue:
                    return
            self.turn()

    def _run_group(self, group: list[Order]) -> bool:
        """Whether it wrote jobs; each order has its result, durable or an error."""
        failure: Exception
        try:
            return self._at_once(group)
        except Exception as error:  # noqa: BLE001  # what it was decides below how the group runs again
            failure = error
        if isinstance(failure, CommitUnanswered):
            for order in group:
                order.result = self._in_doubt(order, failure)
            return False
        # PostgreSQL has no savepoints here: a command that fails fails its group, which runs again singly. So does one that was
        # alone, for what it ran into may be what somebody else was about to commit.
        if not isinstance(failure, _may_pass()) and self._unit is not None and self._unit.dialect == "sqlite":
            if len(group) == 1 and isinstance(failure, TallywattError):
                self._abandon()
                group[0].result = failure
                return False
            try:
                return self._each_by_itself(group)
            except Exception as error:  # noqa: BLE001  # as above
                failure = error
        self.groups_lost += 1
        if isinstance(failure, (*_may_pass(), TallywattError)):
            log.info("writer.group_lost", commands=len(group), error=str(failure.__cause__ or failure))
        else:
            # A database that is damaged, a bug of ours: a writer that died of it would leave all others waiting for ever.
            log.error("writer.group_broke", commands=len(group), exc_info=failure)
        return self._singly(group)

    def _at_once(self, group: list[Order]) -> bool:
        """Nearly every group: no command of it fails, and what they write goes out together at the end."""
        unit = self._begin()
        if len(group) > 1 and unit.dialect == "postgresql":
            _foresee(unit, group)
        for order in group:
            order.result = self._one(unit, order)
        self._commit(unit)
        return unit.wrote_jobs

    def _each_by_itself(self, group: list[Order]) -> bool:
        """A group in which one fails: each in a savepoint, so that the others are not undone with it."""
        unit = self._begin()
        connection, pending = unit.scope.connection, unit.scope.pending
        for order in group:
            position, keys, tally = unit.events.position, self._vault.mark(), unit.scope.tally.mark()
            connection.execute("SAVEPOINT command")
            try:
                order.result = self._one(unit, order)
                pending.flush()
            except Exception as error:
                if not connection.in_transaction() or isinstance(error, world_errors()):
                    raise _GroupLost from error
                connection.execute("ROLLBACK TO command")
                pending.forget()
                unit.scope.memory.forget()
                unit.scope.tally.back_to(tally)
                unit.events.position = position
                self._vault.back_to(keys)
                order.result = self._as_answer(order, error)
            if not connection.in_transaction():
                raise _GroupLost
            connection.execute("RELEASE command")
        self._commit(unit)
        return unit.wrote_jobs

    def _singly(self, group: list[Order]) -> bool:
        self._wrote_jobs = False
        for order in group:
            order.result = self._alone(order)
        return self._wrote_jobs

    def _alone(self, order: Order) -> Any:
        """The result of one command in a transaction of its own, or why there is none."""
        lost: Exception = _GroupLost()
        for _ in range(RUNS_OF_ONE_COMMAND):
            try:
                unit = self._begin()
                result = self._one(unit, order)
                self._commit(unit)
            except CommitUnanswered as unanswered:
                return self._in_doubt(order, unanswered)
            except _may_pass() as error:
                # A lost race, a deadlock, a lost connection, a commit that is known not to have happened.
                self._abandon()
                lost = error
            except Exception as error:  # noqa: BLE001  # whatever it is, its caller hears of it and the others go on
                self._abandon()
                return self._as_answer(order, error)
            else:
                self._wrote_jobs = self._wrote_jobs or unit.wrote_jobs
                return result
        return self._as_answer(order, lost)

    def _begin(self) -> SqlUnitOfWork:
        if self._unit is None:
            self._connection = self._connect()
            self._unit = SqlUnitOfWork(self._connection)
            self._unit.vault = self._vault.on(self._unit)
            self._unit.scope.memory.answers = True
            self._unit.scope.pending.gathers = True
            # On SQLite nobody else writes while our transaction is open.
            self._unit.scope.memory.alone = self._connection.dialect == "sqlite"
        unit = self._unit
        scope = unit.scope
        scope.pending.forget()
        scope.tally.forget()
        scope.connection.rollback()
        scope.connection.begin()
        others = scope.connection.changed_by_others()
        if not self._committed:
            scope.memory.forget()
        elif others:
            scope.memory.forget_changeable()
        self._committed = False
        unit.wrote_jobs = False
        self._vault.forget_uncommitted()
        if unit.events.sequences:
            unit.events.position = scope.connection.execute(SEQUENCE_LAST)[0][0]
            unit.events.began_at = unit.events.position
        return unit

    def _one(self, unit: SqlUnitOfWork, order: Order) -> Any:
        unit.open(order.operator, order.draw, order.actor, order.cause)
        return order.workflow(unit, order.command)  # type: ignore[arg-type]  # its rows are set by name from MAPPINGS

    def _commit(self, unit: SqlUnitOfWork) -> None:
        unit.settle_sums()
        if not unit.scope.connection.in_transaction() and unit.dialect == "sqlite":
            raise _GroupLost
        if unit.events.sequences and unit.events.position != unit.events.began_at:
            unit.scope.connection.execute(SEQUENCE_STORE, (unit.events.position,))
        began = time.monotonic()
        try:
            unit.scope.connection.commit()
        except CommitUnanswered as unanswered:
            self._forget_connection()
            if not self._was_committed(unanswered):
                raise _GroupLost from unanswered
        self.commit_times.take(int((time.monotonic() - began) * 1_000_000))
        self._committed = True
        self._vault.keep_committed()

    def _was_committed(self, unanswered: CommitUnanswered) -> bool:
        """Whether a commit without an answer has happened. Raises it again if that cannot be found out in time.

        Nothing is run again before that is known: not every command has a natural key that would answer for it.
        """
        for pause in DOUBT_SECONDS:
            time.sleep(pause)
            try:
                self._connection = self._connection or self._connect()
                known = self._connection.was_committed(unanswered.transaction)
            except database_errors():
                self._forget_connection()
                continue
            if known is not None:
                log.info("writer.commit_without_answer", committed=known)
                self._forget_connection()
                return known
        self._forget_connection()
        raise unanswered

    def _in_doubt(self, order: Order, unanswered: CommitUnanswered) -> Exception:
        """What a caller hears when nobody knows: not yes, not no."""
        name = getattr(order.workflow, "__name__", "?")
        log.error("writer.outcome_unknown", workflow=name, error=str(unanswered))
        msg = "the line to the database was lost while this was written, and it is not known whether it is there"
        busy = Busy(msg, code="storage.outcome_unknown", remedy="look whether it is there before you ask again")
        busy.__cause__ = unanswered
        return busy

    def _as_answer(self, order: Order, error: Exception) -> Exception:
        if isinstance(error, TallywattError):
            return error
        name = getattr(order.workflow, "__name__", "?")
        if isinstance(error, (_GroupLost, *world_errors())):
            log.error("writer.database_unavailable", workflow=name, error=f"{type(error).__name__}: {error}")
            msg = "the database cannot take it in at the moment; the same request may come again"
            busy = Busy(msg, code="storage.unavailable", remedy="look at the disk and at the database server")
            busy.__cause__ = error
            return busy
        if isinstance(error, database_errors()):
            log.error("writer.database_failed", workflow=name, error=f"{type(error).__name__}: {error}")
        else:
            log.error("writer.command_failed", workflow=name, exc_info=error)
        broken = Broken(f"{type(error).__name__}: {error}", code="storage.failed")
        broken.__cause__ = error
        return broken

    def _abandon(self) -> None:
        if self._unit is None:
            return
        self._unit.scope.pending.forget()
        self._unit.scope.tally.forget()
        try:
            self._unit.scope.connection.rollback()
        except database_errors():
            self._forget_connection()
        else:
            if self._unit.dialect == "postgresql":
                self._forget_if_closed()

    def _forget_if_closed(self) -> None:
        try:
            assert self._unit is not None, "only called with a unit"
            self._unit.scope.connection.execute("SELECT 1")
            self._unit.scope.connection.rollback()
        except database_errors():
            self._forget_connection()

    def _forget_connection(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except database_errors():
                log.info("writer.connection_was_gone")
        self._connection = None
        self._unit = None
