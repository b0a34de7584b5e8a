"""One simulated station: its connectors, its queue of things to tell, and the socket over which it tells them.

Whatever a transaction needs is kept in order until it is acknowledged. When the socket is down, or no answer comes, the same
content goes out again on the next socket under a new message id: that is how a platform may be killed at any moment.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ocpp.exceptions import OCPPError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from tallywatt.simulators.site import words
from tallywatt.simulators.site.chargepoint import point_for, send_without_waiting
from tallywatt.simulators.site.plan import Fault, Incident, Protocol, chance
from tallywatt.simulators.site.timeline import FACTS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tallywatt.kernel.clock import Instant
    from tallywatt.simulators.site.meters import OneTimeTag
    from tallywatt.simulators.site.plan import PlannedStation
    from tallywatt.simulators.site.timeline import Step
    from tallywatt.simulators.site.words import Speaking

LONGEST_PAUSE = 10
"""The pause before a reconnect grows up to so many times the first one."""
OPEN_SECONDS = 5
BOOT_PAUSE_SECONDS = 1.0
REACH_SECONDS = 0.05
"""How long a frame gets to reach the platform before the socket is dropped on purpose."""
MOST_REFUSALS = 3
UNAVAILABLE = "HTTP 503"
CRASH_RESENDS = 5
BELONGS_TO_201 = {"Preparing": "Occupied", "Charging": "Occupied", "SuspendedEV": "Occupied", "Finishing": "Occupied"}


class Dropped(Exception):
    """The station lost its socket on purpose."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where the platform is, and how patient a station is with it."""

    gateway: str
    operator: str
    answer_seconds: float
    pause_seconds: float
    report: Callable[[Mapping[str, object]], None]


@dataclass(eq=False, slots=True)
class Told:
    """One thing to tell: a step of a play, or a payload of its own. `heard` gets the answer, None if there is none."""

    step: Step | None
    speaking: Speaking | None
    payload: Any | None
    heard: asyncio.Future[Any]
    drops: int = 0
    repeats: int = 0
    refusals: int = 0

    @property
    def is_fact(self) -> bool:
        """Whether money or energy hangs on it."""
        return self.step is not None and self.step.kind in FACTS


@dataclass(eq=False, slots=True)
class Connector:
    """A connector that can charge: its state, and what it waits for."""

    number: int
    status: str
    status_at: Instant
    operative: asyncio.Event = field(default_factory=asyncio.Event)
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)
    speaking: Speaking | None = None
    expecting: Callable[[OneTimeTag], None] | None = None
    tags: set[str] = field(default_factory=set)


class Station:
    """A station as the platform sees it; implements `Plugs` for the commands that come in."""

    def __init__(self, planned: PlannedStation, network: Network, day_began: Instant) -> None:
        self.planned = planned
        self.protocol = Protocol(planned.protocol)
        self.connectors = {evse.number: Connector(evse.number, "Available", day_began) for evse in planned.evses}
        for connector in self.connectors.values():
            connector.operative.set()
        self.booted = asyncio.Event()
        self.away = asyncio.Event()
        self._network = network
        self._day_began = day_began
        self._queue: deque[Told] = deque()
        self._news = asyncio.Event()
        self._cut = asyncio.Event()
        self._reachable = asyncio.Event()
        self._reachable.set()
        self._absences = 0
        self._must_boot = True
        self._closing = False
        self._pause = network.pause_seconds
        self._attempts = 0
        self._said_refused: set[str] = set()

    # What the play asks of the station.

    def tell(self, speaking: Speaking, step: Step) -> asyncio.Future[Any]:
        """Put a step into the queue; the future has the answer once there is one."""
        told = Told(step, speaking, None, asyncio.get_running_loop().create_future())
        self._plan_faults(told, speaking, step)
        name = words.STATUS_16.get(step.kind)
        if name is not None:
            connector = self.connectors[speaking.play.row.connector]
            connector.status, connector.status_at = name, step.at
        self._enqueue(told)
        return told.heard

    def lose_power(self, connector: int, at: Instant) -> None:
        """Go dark and come back as if nothing had been: boot, and every connector as it is."""
        self.connectors[connector].status, self.connectors[connector].status_at = "Available", at
        self.drop(boot=True)

    def drop(self, *, boot: bool) -> None:
        """Lose the socket now."""
        self._must_boot = self._must_boot or boot
        self._cut.set()

    def leave(self) -> None:
        """Be out of reach until `come_back`."""
        self._absences += 1
        self._reachable.clear()
        self.away.set()
        self.drop(boot=True)

    def come_back(self) -> None:
        """Be in reach again, unless another absence still lasts."""
        self._absences -= 1
        if self._absences == 0:
            self.away.clear()
            self._reachable.set()

    @property
    def waiting(self) -> int:
        """How many things are still untold or unanswered."""
        return len(self._queue)

    @property
    def waiting_facts(self) -> int:
        """How many of them carry money or energy."""
        return sum(told.is_fact for told in self._queue)

    def close(self) -> None:
        """Say nothing more."""
        self._closing = True
        self._cut.set()

    # The socket.

    async def run(self) -> None:
        """Stay connected: reconnect with a small, growing pause, for as long as the play lasts."""
        while not self._closing:
            await self._reachable.wait()
            try:
                socket = await self._connected()
            except (OSError, InvalidHandshake, TimeoutError) as error:
                self._say_refused(error)
                await self._rest()
                continue
            if socket.subprotocol == self.protocol.value:
                await self._live(socket)
            else:
                self._say_refused(InvalidHandshake(f"the platform did not choose {self.protocol.value}"))
                socket.transport.abort()
            if self._reachable.is_set():
                await self._rest()

    async def _connected(self) -> ClientConnection:
        station, network = self.planned, self._network
        login = base64.b64encode(f"{station.id}:{station.key}".encode()).decode()
        return await connect(
            f"{network.gateway}/ocpp/{quote(network.operator, safe='')}/{quote(station.id, safe='')}",
            subprotocols=[Subprotocol(self.protocol.value)],
            additional_headers={"Authorization": f"Basic {login}"},
            compression=None,
            open_timeout=OPEN_SECONDS,
            proxy=None,
        )

    async def _live(self, socket: ClientConnection) -> None:
        """Talk and listen on a socket until either ends; only at the end of the play is there a goodbye."""
        self._cut.clear()
        point = point_for(self.protocol, self.planned.id, socket, self, self._network.answer_seconds)
        tasks = [
            asyncio.create_task(point.start(), name=f"{self.planned.id} listens"),
            asyncio.create_task(self._talk(point), name=f"{self.planned.id} talks"),
            asyncio.create_task(self._cut.wait(), name=f"{self.planned.id} is cut off"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._cut.set()
            for task in tasks:
                task.cancel()
            endings = await asyncio.gather(*tasks, return_exceptions=True)
            if self._closing:
                await socket.close()
            socket.transport.abort()
        expected = (ConnectionClosed, TimeoutError, Dropped, OSError, asyncio.CancelledError)
        for ending in endings:
            if isinstance(ending, BaseException) and not isinstance(ending, expected):
                raise ending

    async def _rest(self) -> None:
        self._attempts += 1
        await asyncio.sleep(self._pause * (0.75 + chance(self.planned.id, self._attempts) / 2))
        self._pause = min(self._pause * 1.6, self._network.pause_seconds * LONGEST_PAUSE)

    def _say_refused(self, error: Exception) -> None:
        """A platform that is down, or dies while it answers, needs no word; one that says no does, once."""
        if isinstance(error, InvalidMessage) or not isinstance(error, InvalidHandshake):
            return
        reason = f"HTTP {error.response.status_code}" if isinstance(error, InvalidStatus) else str(error)
        if reason != UNAVAILABLE and reason not in self._said_refused:
            self._said_refused.add(reason)
            self._report("handshake_refused", reason=reason)

    # Telling.

    async def _talk(self, point: Any) -> None:
        if self._must_boot:
            await self._boot(point)
        self.booted.set()
        while True:
            while not self._queue:
                self._news.clear()
                await self._news.wait()
            await self._tell(point, self._queue[0])
            self._queue.popleft()
            self._pause = self._network.pause_seconds

    async def _boot(self, point: Any) -> None:
        """Boot until accepted, then report every connector as it is."""
        boot = words.boot(self.protocol, self.planned.model, self.planned.id)
        while (answer := await self._asked(point, boot)) is None or answer.status != "Accepted":
            self._report("boot_not_accepted", status=None if answer is None else str(answer.status))
            await asyncio.sleep(BOOT_PAUSE_SECONDS)
        if self.protocol is Protocol.V16:
            await self._asked(point, words.status(self.protocol, 0, "Available", self._day_began))
        for connector in self.connectors.values():
            await self._asked(point, self._status_of(connector))
        self._must_boot = False

    def _status_of(self, connector: Connector) -> Any:
        name = connector.status if connector.operative.is_set() else "Unavailable"
        if self.protocol is Protocol.V201:
            name = BELONGS_TO_201.get(name, name)
        return words.status(self.protocol, connector.number, name, connector.status_at)

    async def _tell(self, point: Any, told: Told) -> None:
        """Tell one thing until it is acknowledged; a lost socket ends this in the middle, and it begins anew."""
        payload = told.payload
        if told.speaking is not None and told.step is not None and not told.speaking.refused:
            payload = words.payload_of(told.speaking, told.step)
        if payload is None:
            self._hear(told, None)
            return
        if told.drops > 0:
            await self._lose_answer(point, told, payload)
        answer = await self._answer(point, told, payload)
        if told.repeats > 0 and answer is not None:
            told.repeats -= 1
            await self._answer(point, told, payload)
        self._hear(told, answer)

    async def _lose_answer(self, point: Any, told: Told, payload: Any) -> None:
        told.drops -= 1
        await send_without_waiting(point, payload)
        await asyncio.sleep(REACH_SECONDS)
        if told.speaking is not None and told.speaking.play.incident is Incident.RESEND_AFTER_CRASH:
            self._report(
                "incident", incident="resend_after_crash", row=told.speaking.play.row.id, resends_left=told.drops
            )
        raise Dropped

    async def _answer(self, point: Any, told: Told, payload: Any) -> Any | None:
        """The platform's answer; None when it refused three times."""
        while told.refusals < MOST_REFUSALS:
            answer = await self._asked(point, payload)
            if answer is not None:
                return answer
            told.refusals += 1
            await asyncio.sleep(self._network.pause_seconds)
        return None

    async def _asked(self, point: Any, payload: Any) -> Any | None:
        """One call; None when the platform answered with an error, or against its schema.

        A task that is cancelled just when its answer comes goes on (asyncio.wait_for before Python 3.12): it must not talk
        on a socket to which nobody listens any more.
        """
        if self._cut.is_set():
            raise Dropped
        try:
            return await point.call(payload, suppress=False)
        except (OCPPError, TypeError) as error:
            self._report("answered_badly", message=type(payload).__name__, reason=repr(error))
            return None

    def _hear(self, told: Told, answer: Any | None) -> None:
        speaking, step = told.speaking, told.step
        if speaking is not None and step is not None and answer is not None:
            if step.kind is Kind.START and self.protocol is Protocol.V16:
                speaking.transaction_16 = answer.transaction_id
            if step.kind is Kind.AUTHORIZE and not speaking.begun:
                info = answer.id_tag_info if self.protocol is Protocol.V16 else answer.id_token_info
                speaking.refused = info["status"] != "Accepted"
        if not told.heard.done():
            told.heard.set_result(answer)

    def _plan_faults(self, told: Told, speaking: Speaking, step: Step) -> None:
        play = speaking.play
        if play.incident is Incident.RESEND_AFTER_CRASH and step.kind is Kind.START:
            told.drops = CRASH_RESENDS
        elif Fault.RECONNECT in play.faults and step.kind in FACTS and chance("drop", play.row.id, step.number) < 0.5:
            told.drops = 1
        if Fault.RESEND in play.faults and step.kind in FACTS:
            told.repeats = 1

    def _enqueue(self, told: Told) -> None:
        self._queue.append(told)
        self._news.set()

    def _say(self, payload: Any) -> None:
        self._enqueue(Told(None, None, payload, asyncio.get_running_loop().create_future()))

    def _report(self, event: str, **details: object) -> None:
        self._network.report({"event": event, "station": self.planned.id, **details})

    # What the platform asks of the station (Plugs).

    def remote_start(self, connector: int | None, tag: OneTimeTag) -> bool:
        """Yes, if somebody who has paid stands there; the same tag again gets the same answer."""
        for one in self._named(connector):
            if tag.tag in one.tags:
                return True
        for one in self._named(connector):
            if one.expecting is not None and one.operative.is_set():
                one.expecting(tag)
                one.expecting = None
                one.tags.add(tag.tag)
                return True
        return False

    def remote_stop(self, transaction: str | int) -> bool:
        """Yes, if that transaction is going on here."""
        for connector in self.connectors.values():
            speaking = connector.speaking
            if speaking is not None and transaction in (speaking.transaction_16, speaking.play.transaction):
                connector.stop_asked.set()
                return True
        return False

    def reset(self) -> bool:
        """Yes, unless somebody is charging; the answer leaves before the socket goes."""
        if any(connector.speaking is not None for connector in self.connectors.values()):
            return False
        asyncio.get_running_loop().call_later(REACH_SECONDS, lambda: self.drop(boot=True))
        return True

    def unlock(self, connector: int) -> str:
        """A plug in use stays locked."""
        if connector not in self.connectors:
            return "unknown"
        return "unlocked" if self.connectors[connector].speaking is None else "busy"

    def change_availability(self, connector: int | None, *, operative: bool) -> bool:
        """Out of service at once where nobody charges, else after the session."""
        at_once = True
        for one in self._named(connector):
            (one.operative.set if operative else one.operative.clear)()
            at_once = at_once and (operative or one.speaking is None)
            if one.speaking is None:
                self._say(self._status_of(one))
        return at_once

    def trigger(self, message: str, connector: int | None) -> bool:
        """Boot, heartbeat and status can be asked for."""
        if message == "BootNotification":
            self._say(words.boot(self.protocol, self.planned.model, self.planned.id))
        elif message == "Heartbeat":
            self._say(words.heartbeat(self.protocol))
        elif message == "StatusNotification":
            for one in self._named(connector):
                self._say(self._status_of(one))
        else:
            return False
        return True

    def transaction_state(self, transaction: str | None) -> tuple[bool | None, bool]:
        """A transaction is ongoing while its driver is plugged in."""
        if transaction is None:
            return None, self.waiting_facts > 0
        speaking = [one.speaking for one in self.connectors.values() if one.speaking is not None]
        ongoing = any(one.play.transaction == transaction for one in speaking)
        waiting = any(
            told.is_fact and told.speaking is not None and told.speaking.play.transaction == transaction
            for told in self._queue
        )
        return ongoing, waiting

    def _named(self, connector: int | None) -> list[Connector]:
        if connector is None:
            return list(self.connectors.values())
        return [self.connectors[connector]] if connector in self.connectors else []
