"""Stand-ins for what the gateway needs: a writer that can be held back, a directory, workflows that write down facts."""

from __future__ import annotations

import base64
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.ocpp.connection import Intake
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Busy
from tallywatt.kernel.identity import OperatorId, StationId
from tallywatt.metering.facts import BootAnswer, Sampled, Started, Stopped, TokenAnswer, TransactionAnswer, Unreadable
from tallywatt.stations.credentials import Knocked, StationCredential, hash_key
from tallywatt.stations.station import StationState

if TYPE_CHECKING:
    from collections.abc import Callable

PEPPER = b"pepper-of-the-tests"
KEY = "0123456789abcdef-key"
NOW = Instant(1_795_248_000_000)


class StoppedClock:
    """Machine time that stands still, so that answers can be compared."""

    def now(self) -> Instant:
        return NOW


@dataclass
class HeldWriter:
    """A writer behind the port: runs workflows in a thread of its own, and only when it is let."""

    open: bool = True
    busy: int = 0
    """How many submissions it refuses before it takes one."""
    orders: deque[tuple[Any, object, Callable[[Any], None]]] = field(default_factory=deque)
    callers: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._arrived = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

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
        if self.busy:
            self.busy -= 1
            msg = "full"
            raise Busy(msg)
        with self._arrived:
            self.callers.append((operator, actor, cause))
            self.orders.append((workflow, command, done))
            self._arrived.notify()

    def let(self) -> None:
        """Let it run what it holds, and what comes."""
        with self._arrived:
            self.open = True
            self._arrived.notify()

    def stop(self) -> None:
        with self._arrived:
            self._stopping = True
            self._arrived.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._stopping or (self.open and self.orders))
                if self._stopping:
                    return
                workflow, command, done = self.orders.popleft()
            try:
                result = workflow(None, command)
            except Exception as error:  # noqa: BLE001  # as the writer does: the exception is the answer
                result = error
            done(result)


@dataclass
class Told:
    """The workflows: they write down what they get, and answer as they were told to."""

    commands: list[Any] = field(default_factory=list)
    fails_on: tuple[type, ...] = ()
    fails_with: Exception = field(default_factory=lambda: LookupError("a bug in a workflow"))
    authorization: str = "Accepted"
    registration: str = "Accepted"
    total_cost: str | None = None
    has_no_answer: bool = False
    knocked_as: StationCredential | None = None
    transaction: int = 0

    def take(self, _: Any, command: Any) -> Any:
        self.commands.append(command)
        if type(command) in self.fails_on:
            raise self.fails_with
        if self.has_no_answer:
            return None
        match command:
            case Started() | Unreadable():
                self.transaction += 1
                return TransactionAnswer(
                    getattr(command, "transaction_id", None) or str(self.transaction), self.authorization
                )
            case Sampled():
                return None
            case Stopped():
                return TransactionAnswer(command.transaction_id, self.authorization, self.total_cost)
            case Knocked():
                return self.knocked_as
        return None

    def intake(self) -> Intake:
        return Intake(
            boot=lambda _, command: (self.take(_, command), BootAnswer(self.registration, 300))[1],
            status=self.take,
            authorize=lambda _, command: (self.take(_, command), TokenAnswer(self.authorization))[1],
            start=self.take,
            sample=self.take,
            stop=self.take,
            unreadable=self.take,
            knock=self.take,
            report=self.take,
            security=self.take,
            notice=self.take,
            sign=lambda _, command: (self.take(_, command), False)[1],
            answer=self.take,
            settle=self.take,
            returned=lambda _, __: 0,
        )

    def of(self, kind: type) -> list[Any]:
        """The commands of one kind, in order."""
        return [one for one in self.commands if isinstance(one, kind)]


def a_credential(
    identity: str, *, operator: str = "op", state: StationState = StationState.ADOPTED, key: str | None = KEY
) -> StationCredential:
    """A station of the directory."""
    key_hash = None if key is None else hash_key(key, PEPPER)
    return StationCredential(
        OperatorId(f"id-of-{operator}"), operator, StationId(f"id-of-{identity}"), identity, state, key_hash
    )


@dataclass
class Neighbours:
    """A directory in memory."""

    credentials: list[StationCredential] = field(default_factory=list)
    operators: tuple[str, ...] = ("op",)

    def find(self, operator_slug: str | None, identity: str) -> StationCredential | None:
        found = [
            one
            for one in self.credentials
            if one.identity == identity and (operator_slug is None or one.operator_slug == operator_slug)
        ]
        return found[0] if len(found) == 1 else None

    def operator_for_unknown(self, operator_slug: str | None) -> OperatorId | None:
        wanted = [one for one in self.operators if operator_slug is None or one == operator_slug]
        return OperatorId(f"id-of-{wanted[0]}") if len(wanted) == 1 else None


def basic(user: str, key: str | bytes = KEY) -> dict[str, str]:
    """The header with which a station proves itself."""
    shown = user.encode() + b":" + (key.encode() if isinstance(key, str) else key)
    return {"Authorization": f"Basic {base64.b64encode(shown).decode()}"}
