"""Play a day: every connector takes its rows in turn, every station tells what happens, the book keeps the meters.

`run(Options(state=...))` is the whole simulator. It ends when every row was told and acknowledged, or gives up and says so.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant, rfc3339
from tallywatt.kernel.energy import wh
from tallywatt.simulators.site import plan, sample
from tallywatt.simulators.site.driver import Door, DoorClosed, HttpDoor, Payment
from tallywatt.simulators.site.meters import Book, OneTimeTag, Totals
from tallywatt.simulators.site.pace import Pace
from tallywatt.simulators.site.plan import Faults, Incident, Play, Provisioning
from tallywatt.simulators.site.station import Connector, Network, Station
from tallywatt.simulators.site.timeline import Kind, Step, timeline
from tallywatt.simulators.site.words import CARD_TYPE, Speaking

if TYPE_CHECKING:
    from pathlib import Path

    from tallywatt.simulators.site.sample import Row, Sample

Report = Callable[[Mapping[str, object]], None]

BOOT_SECONDS = 20
AUTHORIZE_SECONDS = 5
PROGRESS_SECONDS = 0.25
QUIET_SECONDS = 5
DRAIN_SECONDS = 0.1
GOODBYE_SECONDS = 2
MOST_PAYMENTS = 4


@dataclass(frozen=True, slots=True)
class Options:
    """What a play needs to know. Times are seconds of the real clock."""

    state: Path
    operator: str = "demo"
    gateway: str = "ws://127.0.0.1:9000"
    door: str = "http://127.0.0.1:8080"
    sample: Path | None = None
    seconds: float = 65
    incidents: bool = False
    faults: Faults = field(default_factory=Faults)
    answer_seconds: float = 10
    pause_seconds: float = 0.2
    """The first pause before a station connects again; it grows while the platform stays away."""
    plug_seconds: float = 30
    """How long a paid driver waits for the station to start before looking at the payment again."""
    second_try_seconds: float = 40
    """How long the driver who never plugged in waits at most for the money to be free before paying again."""
    give_up_seconds: float = 120
    """How long after the last row the stations try to get their facts acknowledged."""
    driver_seconds: float = 30
    """How long a driver who wants to pay goes on trying when the platform does not answer."""
    at_readers: bool = False
    """Whether drivers without a contract hold their cards to readers, where there are any."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a play ended."""

    totals: Totals
    rows: int
    played: int
    refused: tuple[str, ...]
    not_played: tuple[str, ...]
    facts_waiting: int

    @property
    def complete(self) -> bool:
        """Whether every row was played, told and acknowledged."""
        return self.played == self.rows and self.facts_waiting == 0


def print_lines(line: Mapping[str, object]) -> None:
    """Report as JSON lines on standard output."""
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def prepare(options: Options) -> Provisioning:
    """Settle what the play will be, in its state file, and say what the platform must have for it."""
    day = sample.read(options.sample)
    book = _book(options, day)
    book.close()
    return plan.provisioning(day, book.site.secret, book.site.incidents)


def run(options: Options, report: Report = print_lines, door: Door | None = None) -> Result:
    """Play the day and come back when it is over."""
    return asyncio.run(perform(options, report, door))


async def perform(options: Options, report: Report = print_lines, door: Door | None = None) -> Result:
    """Play the day inside a running event loop."""
    day = sample.read(options.sample)
    book = _book(options, day)
    try:
        return await _Performance(
            options,
            report,
            door or HttpDoor(options.door, options.driver_seconds, options.at_readers),
            day,
            book,
        ).perform()
    finally:
        book.close()


def _book(options: Options, day: Sample) -> Book:
    return Book.open(options.state, day.name, plan.choose_incidents(day) if options.incidents else {})


class _Performance:
    """One play of a day, from the first boot to the last acknowledgement."""

    def __init__(self, options: Options, report: Report, door: Door, day: Sample, book: Book) -> None:
        self._options = options
        self._report = report
        self._door = door
        self._day = day
        self._book = book
        self._incidents = {row: incident for incident, row in book.site.incidents.items()}
        moments = [moment for row in day.rows for moment in (row.started_at, row.ended_at)]
        self._pace = Pace(moments, options.seconds)
        network = Network(options.gateway, options.operator, options.answer_seconds, options.pause_seconds, report)
        needs = plan.provisioning(day, book.site.secret, book.site.incidents)
        self._stations = {planned.id: Station(planned, network, min(moments)) for planned in needs.stations}
        self._calm = {row.station for row in day.rows if row.driver is None or row.id in self._incidents}
        self._played: set[str] = set()
        self._refused: list[str] = []
        self._not_played: list[str] = []
        self._open = 0
        self._endings: set[asyncio.Task[None]] = set()

    async def perform(self) -> Result:
        """Boot the stations, play the rows, wait for the last acknowledgement."""
        async with asyncio.TaskGroup() as group:
            sockets = [group.create_task(station.run()) for station in self._stations.values()]
            await self._boot()
            self._pace.begin()
            progress = group.create_task(self._tell_progress())
            await self._play_rows()
            await self._drain()
            progress.cancel()
            for station in self._stations.values():
                station.close()
            await asyncio.wait(sockets, timeout=GOODBYE_SECONDS)
            for socket in sockets:
                socket.cancel()
        return self._result()

    async def _boot(self) -> None:
        """Wait until the stations are in touch; a platform that is not there yet holds the day up for a while only."""
        booted = asyncio.gather(*(station.booted.wait() for station in self._stations.values()))
        try:
            await asyncio.wait_for(booted, BOOT_SECONDS)
        except TimeoutError:
            missing = [station.planned.id for station in self._stations.values() if not station.booted.is_set()]
            self._report({"event": "not_connected", "stations": missing})
        self._report({"event": "connected", "stations": len(self._stations), "of": len(self._day.rows)})

    async def _play_rows(self) -> None:
        lanes: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in self._day.rows:
            lanes[row.station, row.connector].append(row)
        async with asyncio.TaskGroup() as group:
            for (station, connector), rows in lanes.items():
                group.create_task(self._play_lane(self._stations[station], connector, rows))

    async def _play_lane(self, station: Station, number: int, rows: list[Row]) -> None:
        """One connector: its rows in turn, each beginning with the register that the one before it left."""
        connector = station.connectors[number]
        register = plan.first_register(station.planned.id, number)
        for row in rows:
            await self._pace.until(row.started_at)
            await connector.operative.wait()
            incident = self._incidents.get(row.id)
            faults = self._options.faults.hitting(
                row, known_driver=row.driver is not None, station_is_safe=row.station not in self._calm
            )
            play = plan.plan_row(row, register, incident, frozenset() if incident else faults)
            known = self._book.known_delivery(row.id)
            if known is not None and known.stopped_remotely:
                play = plan.cut(play, known.ended_at)
            speaking = await self._arrive(station, connector, play)
            if speaking is None:
                self._not_played.append(row.id)
                self._report({"event": "not_played", "row": row.id})
                continue
            register = await self._charge(station, connector, speaking)

    # A driver arrives.

    async def _arrive(self, station: Station, connector: Connector, play: Play) -> Speaking | None:
        """The driver with a card, or with the one-time tag that a payment brought; None if nobody could pay."""
        row = play.row
        if row.driver is not None:
            return Speaking(play, plan.tag_of(row.driver), CARD_TYPE)
        tag = self._book.known_tag(row.id) or await self._pay(station, connector, play)
        if tag is None:
            return None
        connector.tags.add(tag.tag)
        return Speaking(play, tag.tag, tag.token_type, tag.remote_start_id)

    async def _pay(self, station: Station, connector: Connector, play: Play) -> OneTimeTag | None:
        """Pay at the platform's door until its remote start brings a tag."""
        row = play.row
        code = plan.evse_code(station.planned.id, connector.number)
        for _ in range(MOST_PAYMENTS):
            misses_plug = play.incident is Incident.NEVER_PLUGGED and not self._book.was_never_plugged(row.id)
            coming: asyncio.Future[OneTimeTag] = asyncio.get_running_loop().create_future()
            connector.expecting = self._note(row, coming, misses_plug=misses_plug)
            try:
                tag = await self._paid(code, row, coming)
            except DoorClosed as closed:
                self._report({"event": "door_closed", "row": row.id, "reason": str(closed)})
                return None
            finally:
                connector.expecting = None
            if tag is not None and not misses_plug:
                return tag
        return None

    def _note(self, row: Row, coming: asyncio.Future[OneTimeTag], *, misses_plug: bool) -> Callable[[OneTimeTag], None]:
        """What the station does with a remote start: write it down before it agrees."""

        def take(tag: OneTimeTag) -> None:
            if misses_plug:
                self._book.never_plugged(row.id, tag.tag)
                self._report({"event": "incident", "incident": "never_plugged", "row": row.id, "tag": tag.tag})
            else:
                self._book.remote_start(row.id, tag)
            if not coming.done():
                coming.set_result(tag)

        return take

    async def _paid(self, code: str, row: Row, coming: asyncio.Future[OneTimeTag]) -> OneTimeTag | None:
        """Pay once and wait for the tag; None when the payment is over and nothing came."""
        attempt = self._book.payments_of(row.id)
        payment = await self._door.begin(code, plan.wish_key(self._book.site.secret, row, attempt))
        self._book.paying(row.id, payment.id, payment.status_url)
        if not await self._door.settle(payment):
            return None
        while not coming.done():
            try:
                await asyncio.wait_for(asyncio.shield(coming), self._options.plug_seconds)
            except TimeoutError:
                if await self._door.is_over(payment):
                    return None
        if self._book.known_tag(row.id) is None:
            await self._wait_until_over(payment)
        return coming.result()

    async def _wait_until_over(self, payment: Payment) -> None:
        """The driver who did not plug in waits for the money to be free again, though not for ever."""
        deadline = asyncio.get_running_loop().time() + self._options.second_try_seconds
        while asyncio.get_running_loop().time() < deadline:
            if await self._door.is_over(payment):
                return
            await asyncio.sleep(PROGRESS_SECONDS)

    # A session runs.

    async def _charge(self, station: Station, connector: Connector, speaking: Speaking) -> int:
        """Tell the whole session as it happens; the register that it leaves behind."""
        connector.speaking = speaking
        connector.stop_asked.clear()
        self._open += 1
        try:
            steps = timeline(speaking.play, paid_ad_hoc=speaking.play.row.driver is None)
            away = False
            for index, step in enumerate(steps):
                if await self._until(step, connector, speaking):
                    return await self._stop_early(station, speaking, step, steps[:index])
                if step.offline and not away:
                    away = True
                    station.leave()
                if not await self._tell(station, speaking, step):
                    return speaking.play.begin.register
            if away:
                asyncio.get_running_loop().call_later(min(2.0, self._options.seconds / 30), station.come_back)
            return speaking.play.end.register
        finally:
            self._open -= 1
            connector.speaking = None

    async def _until(self, step: Step, connector: Connector, speaking: Speaking) -> bool:
        """Wait for a step's time; True when the platform asked to stop before it."""
        waiting = asyncio.create_task(self._pace.until(step.told_at))
        if speaking.play.stopped_remotely:
            await waiting
            return False
        asked = asyncio.create_task(connector.stop_asked.wait())
        await asyncio.wait((waiting, asked), return_when=asyncio.FIRST_COMPLETED)
        stopped = connector.stop_asked.is_set() and step.at < speaking.play.end.at
        for task in (waiting, asked):
            task.cancel()
        if not stopped and connector.stop_asked.is_set():
            await self._pace.until(step.told_at)
        return stopped

    async def _tell(self, station: Station, speaking: Speaking, step: Step) -> bool:
        """Let a step happen; False when the driver was turned away."""
        play = speaking.play
        if step.kind is Kind.POWER_LOST:
            self._deliver(speaking)
            station.lose_power(play.row.connector, step.at)
            self._finish(play.row.id)
            return True
        if step.kind is Kind.AUTHORIZE and station.away.is_set():
            speaking.begun = True  # nobody can be asked: the station starts on its own authority
            return True
        if step.kind in (Kind.STOP, Kind.STOP_UNKNOWN):
            self._deliver(speaking)
        heard = station.tell(speaking, step)
        if step.kind is Kind.AUTHORIZE:
            return await self._admitted(station, speaking, heard)
        if step.kind is Kind.STOP:
            self._expect_ending(speaking, heard)
        return True

    async def _admitted(self, station: Station, speaking: Speaking, heard: asyncio.Future[object]) -> bool:
        """A driver who is refused leaves; where no answer comes, the station starts on its own authority."""
        left = asyncio.create_task(station.away.wait())
        await asyncio.wait((heard, left), timeout=AUTHORIZE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        speaking.begun = not speaking.refused
        if speaking.refused:
            self._refused.append(speaking.play.row.id)
            self._report({"event": "refused", "row": speaking.play.row.id, "tag": speaking.tag})
        return not speaking.refused

    def _deliver(self, speaking: Speaking) -> None:
        self._book.delivered(speaking.play, speaking.tag)
        incident = speaking.play.incident
        if incident is not None:
            self._report({"event": "incident", "incident": incident.value, "row": speaking.play.row.id, "ended": True})

    def _expect_ending(self, speaking: Speaking, heard: asyncio.Future[object]) -> None:
        """The row is played when its stop is acknowledged."""
        task = asyncio.create_task(self._ending(speaking, heard))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _ending(self, speaking: Speaking, heard: asyncio.Future[object]) -> None:
        if await heard is None:
            self._report({"event": "given_up", "row": speaking.play.row.id})
            return
        is_16 = speaking.play.protocol is plan.Protocol.V16
        self._book.acknowledged(speaking.play.row.id, speaking.transaction_16 if is_16 else speaking.play.transaction)
        self._finish(speaking.play.row.id)

    async def _stop_early(self, station: Station, speaking: Speaking, due: Step, told: tuple[Step, ...]) -> int:
        """The platform stops the session: what has flowed by now is what was delivered."""
        last = told[-1].at if told else speaking.play.begin.at
        at = Instant(max(last, min(self._pace.present(), due.at)))
        speaking.play = plan.cut(speaking.play, Instant(max(at, speaking.play.begin.at + 1000)))
        done = {step.kind for step in told} - {Kind.SAMPLE}
        count = sum(step.kind is Kind.SAMPLE for step in told)
        for step in timeline(speaking.play, paid_ad_hoc=speaking.play.row.driver is None):
            if step.kind is Kind.SAMPLE and count > 0:
                count -= 1
            elif step.kind not in done and not await self._tell(station, speaking, replace(step, told_later_at=None)):
                break
        return speaking.play.end.register

    # The end, and what is said meanwhile.

    def _finish(self, row: str) -> None:
        self._played.add(row)

    async def _drain(self) -> None:
        """Wait until every queue is empty, or patience is."""
        deadline = asyncio.get_running_loop().time() + self._options.give_up_seconds
        while any(station.waiting for station in self._stations.values()) or self._endings:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(DRAIN_SECONDS)

    async def _tell_progress(self) -> None:
        told, told_at = None, 0.0
        while True:
            now, progress = asyncio.get_running_loop().time(), self._progress()
            # The same over and over would hide what is worth reading; silence for ever would look like the end.
            if progress != told or now - told_at >= QUIET_SECONDS:
                self._report(progress)
                told, told_at = progress, now
            await asyncio.sleep(PROGRESS_SECONDS)

    def _progress(self) -> dict[str, object]:
        return {
            "event": "progress",
            "played": len(self._played),
            "of": len(self._day.rows),
            "charging": self._open,
            "facts_waiting": self._facts_waiting(),
            "at": rfc3339(self._pace.present()),
            "delivered_wh": wh(self._book.totals().delivered_milliwatt_hours),
        }

    def _facts_waiting(self) -> int:
        return sum(station.waiting_facts for station in self._stations.values())

    def _result(self) -> Result:
        self._report(self._progress())
        result = Result(
            totals=self._book.totals(),
            rows=len(self._day.rows),
            played=len(self._played),
            refused=tuple(self._refused),
            not_played=tuple(self._not_played),
            facts_waiting=self._facts_waiting(),
        )
        self._report(
            {
                "event": "done",
                "complete": result.complete,
                "played": result.played,
                "of": result.rows,
                "refused": result.refused,
                "not_played": result.not_played,
                "facts_waiting": result.facts_waiting,
                "delivered_wh": wh(result.totals.delivered_milliwatt_hours),
                "incidents": dict(result.totals.incidents),
            }
        )
        return result
