"""Stations as they are: they resend, queue while they are offline, tell things out of order, have wrong clocks, lose stops,
reset their meters, reboot. What truly happened at the plug is written down beside what they tell of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant, rfc3339
from tests.simulation.keeping import Reservations
from tests.simulation.network import Line
from tests.simulation.world import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.house import LivingHouse
    from tests.simulation.world import World

STATION_KEY = b"0123456789abcdef-sim"
SAMPLE_EVERY = 2 * MINUTE
PATIENCE = 20 * SECOND
WAITS_FOR_PLUG = 60 * SECOND

QUIRKS = (
    "clock_dies",  # after a boot it is 1970 until the house has told the time
    "clock_is_late",  # a quarter of an hour, for ever
    "clock_is_early",
    "forgets",  # a reboot loses what was queued, and the stop of what was running
    "new_ids",  # a resend has another message id
    "shuffles",  # after an outage it tells in any order (2.0.1), or statuses first (1.6)
    "gives_up",  # what was not answered three times is not said again
    "meter_in_memory",  # a reboot sets the register to nothing
    "deaf",  # it does not answer one command in three
    "no_stop_on_invalid",  # it goes on for a token that it was told is none
)


@dataclass
class Charge:
    """One transaction as it truly was, and what the house is known to have heard of it."""

    station: str
    evse: int
    token: str
    began_at: int
    register_start: int
    """Wh, as told."""
    transaction_id: str | None = None
    """As the station knows it."""
    register: int = 0
    """Wh, the newest that was told or queued."""
    ended: bool = False
    start_acknowledged: bool = False
    stop_acknowledged: bool = False
    stop_told: int | None = None
    acknowledged: list[int] = field(default_factory=list)
    """Registers in messages that the house has acknowledged."""
    given_up: bool = False
    """Something of it will never be told."""
    meter_was_reset: bool = False
    sequence: int = 0
    names: int | None = None
    """The reservation that its start names."""

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.station}/{self.evse} {self.transaction_id or '?'} {self.token}"


@dataclass
class Message:
    """Something that a station wants to say until it is answered."""

    action: str
    build: Callable[[], dict[str, Any] | None]
    weighty: bool
    charge: Charge | None = None
    part: str = ""
    register: int | None = None
    message_id: str = ""
    payload: dict[str, Any] | None = None
    tries: int = 0


@dataclass
class Plug:
    """An EVSE: its meter, and what is plugged in."""

    number: int
    register: float
    """Wh."""
    visit: Any = None
    charge: Charge | None = None
    watts: int = 0
    since: int = 0
    started_once: bool = False
    wanted: tuple[str, int | None, int] | None = None
    """A remote start that waits for a plug: its tag, its id, until when."""


class Station:
    """One station, of one version, with its quirks."""

    def __init__(self, world: World, identity: str, protocol: str, quirks: frozenset[str], evses: int) -> None:
        self.world = world
        self.identity = identity
        self.protocol = protocol
        self.quirks = quirks
        self.luck = world.chance(f"station {identity}")
        self.plugs = [Plug(number, 1000.0 * number) for number in range(1, evses + 1)]
        self.charges: list[Charge] = []
        self.acknowledged: list[tuple[str, str]] = []
        """Message ids of facts that the house has acknowledged, with their actions."""
        self.refused: list[str] = []
        """Facts of money or energy that were refused: there may be none."""
        self.house: LivingHouse | None = None
        self.offline_until = 0
        self.on_page: Callable[[Plug, str], Any] | None = None
        self._line: Line | None = None
        self._queue: list[Message] = []
        self._in_flight: Message | None = None
        self._numbers = count(1)
        self._booted = False
        self._off = False
        self._offset = {"clock_is_late": -15 * MINUTE, "clock_is_early": 12 * MINUTE}.get(
            next(iter(sorted(quirks & {"clock_is_late", "clock_is_early"})), ""), 0
        )
        self._boot_clock()
        self._was_offline = False
        self._knocking = False
        self.reservations = Reservations(self)

    # --- its clock and its meters ---

    def _boot_clock(self) -> None:
        if "clock_dies" in self.quirks:
            self._offset = -self.world.now

    @property
    def offset(self) -> int:
        """By how much its clock is early, in milliseconds."""
        return self._offset

    @property
    def is_off(self) -> bool:
        """Whether it has no power."""
        return self._off

    def clock(self) -> str:
        """The time as it believes it to be."""
        return rfc3339(Instant(self.world.now + self._offset))

    def read(self, plug: Plug) -> int:
        """The register of a plug, brought up to date."""
        if plug.charge is not None:
            plug.register += plug.watts * (self.world.now - plug.since) / 3_600_000
        plug.since = self.world.now
        return int(plug.register)

    # --- its line ---

    def stays_away(self, seconds: int, *, noticed: bool) -> None:
        """The line is cut, and there is none for a while."""
        self.offline_until = max(self.offline_until, self.world.now + seconds * SECOND)
        if self._line is not None:
            self._line.cut(noticed=noticed)
        self._knock(self.luck.randrange(SECOND, 10 * SECOND))

    def house_is(self, house: LivingHouse | None) -> None:
        """The house has come up, or gone down."""
        self.house = house
        if house is None and self._line is not None:
            self._line.cut(noticed=True)
        self._knock(self.luck.randrange(100, 5 * SECOND))

    def _knock(self, wait: int) -> None:
        if self._knocking:
            return
        self._knocking = True

        def connect() -> None:
            self._knocking = False
            if self._off or (self._line is not None and self._line.holds):
                return
            if self.house is None or self.world.now < self.offline_until:
                self._knock(self.luck.randrange(2 * SECOND, 15 * SECOND))
                return
            connection = self.house.admit(self.identity, self.protocol, STATION_KEY)
            assert connection is not None, f"{self.identity} has its key"
            self._line = Line(self.world, self.house, connection, self, self.luck)
            self._in_flight = None
            if not self._booted:
                self._queue[:0] = [self._boot()]
            elif self._was_offline and "shuffles" in self.quirks:
                self._shuffle()
            self._was_offline = False
            self._next()

        self.world.after(wait, connect)

    def _shuffle(self) -> None:
        if self.protocol == "ocpp1.6":
            self._queue.sort(key=lambda one: one.weighty)
        else:
            self.luck.shuffle(self._queue)

    def hung_up(self, line: Line) -> None:
        """The line is dead."""
        if line is self._line:
            self._line = None
            self._in_flight = None
            self._was_offline = True
            self._knock(self.luck.randrange(500, 20 * SECOND))

    @property
    def is_quiet(self) -> bool:
        """Whether it has nothing more to say, and nothing goes on at it."""
        idle = all(plug.charge is None and plug.visit is None for plug in self.plugs)
        return not self._queue and self._in_flight is None and idle and self._booted

    def leave_alone(self) -> None:
        """Vehicles leave, whatever they were doing: the day is over."""
        for plug in self.plugs:
            if plug.charge is not None:
                self.end(plug, "Local")
            plug.visit = None
            plug.wanted = None
            self.status(plug, "Available")

    # --- what it says ---

    def say(self, message: Message) -> None:
        """Queue a message, and send it when it is its turn."""
        self._queue.append(message)
        self._next()

    def _boot(self) -> Message:
        if self.protocol == "ocpp1.6":
            told: dict[str, Any] = {"chargePointVendor": "Sim", "chargePointModel": "One"}
        else:
            told = {"chargingStation": {"vendorName": "Sim", "model": "Two"}, "reason": "PowerUp"}
        return Message("BootNotification", lambda: told, weighty=False, part="boot")

    def _boot_again(self) -> None:
        waits = any(message.part == "boot" for message in self._queue)
        if not (self._booted or self._off or waits):
            self._queue.insert(0, self._boot())
            self._next()

    def _next(self) -> None:
        line = self._line
        if line is None or self._in_flight is not None or self._off:
            return
        while self._queue:
            message = self._queue[0]
            if message.part != "boot" and not self._booted:
                return
            if message.payload is None:
                message.payload = message.build()
            if message.payload is None:
                # A transaction that has no number cannot be spoken of.
                self._drop(message)
                continue
            self._send(line, message)
            return

    def _send(self, line: Line, message: Message) -> None:
        if not message.message_id or "new_ids" in self.quirks:
            message.message_id = f"{self.identity}-{next(self._numbers)}"
        message.tries += 1
        self._in_flight = message
        text = json.dumps([2, message.message_id, message.action, message.payload])
        self.world.say(f"{self.identity} > {text}")
        line.up(text.encode())
        sent_as = message.message_id
        self.world.after(PATIENCE, lambda: self._lose_patience(line, message, sent_as))

    def _lose_patience(self, line: Line, message: Message, sent_as: str) -> None:
        if self._in_flight is not message or message.message_id != sent_as or line is not self._line:
            return
        self._in_flight = None
        if not line.holds:
            self.hung_up(line)
        if message.part != "boot" and (not message.weighty or ("gives_up" in self.quirks and message.tries >= 3)):
            self._drop(message)
        self._next()

    def _drop(self, message: Message) -> None:
        if message in self._queue:
            self._queue.remove(message)
        if message.charge is not None and message.weighty:
            message.charge.given_up = True

    # --- what it hears ---

    def hear(self, line: Line, text: bytes) -> None:
        """A message from the house."""
        if line is not self._line or self._off:
            return
        self.world.say(f"{self.identity} < {text.decode()}")
        told = json.loads(text)
        if told[0] == 2:
            self._obey(line, told[1], told[2], told[3])
            return
        message = self._in_flight
        if message is None or told[1] != message.message_id:
            return
        self._in_flight = None
        if message in self._queue:
            self._queue.remove(message)
        if told[0] == 4:
            if message.weighty:
                self.refused.append(f"{message.action} {told[1]}: {told[2]}")
        else:
            self._heard(message, told[2])
        self._next()

    def _heard(self, message: Message, answer: dict[str, Any]) -> None:
        if message.part == "boot" and answer["status"] != "Accepted":
            self.world.after(answer["interval"] * SECOND, self._boot_again)
            return
        self.acknowledged.append((message.message_id, message.action))
        if message.part == "boot":
            self._is_up()
        if message.part.startswith("reservation "):
            self.reservations.told[int(message.part.split()[1])] = self.world.now
        charge = message.charge
        if charge is None:
            return
        if message.register is not None:
            charge.acknowledged.append(message.register)
        if message.part == "start":
            charge.start_acknowledged = True
            charge.transaction_id = str(answer.get("transactionId", charge.transaction_id))
            status = (answer.get("idTagInfo") or answer.get("idTokenInfo") or {}).get("status", "Accepted")
            if status != "Accepted" and "no_stop_on_invalid" not in self.quirks and not charge.ended:
                plug = self.plugs[charge.evse - 1]
                if plug.charge is charge:
                    self.end(plug, "DeAuthorized")
        elif message.part == "stop":
            charge.stop_acknowledged = True

    def _is_up(self) -> None:
        self._booted = True
        if "clock_dies" in self.quirks:
            self._offset = 0
        if self.protocol == "ocpp2.1":
            self._tell_variables()

    def _obey(self, line: Line, message_id: str, action: str, told: dict[str, Any]) -> None:
        if "deaf" in self.quirks and self.luck.random() < 1 / 3:
            return
        if action in {"ReserveNow", "CancelReservation"}:
            self._answer_about_reservation(line, message_id, action, told)
            return
        if action in {"RemoteStartTransaction", "RequestStartTransaction"}:
            token = told["idTag"] if "idTag" in told else told["idToken"]["idToken"]
            number = told.get("connectorId") or told.get("evseId") or 1
            plug = self.plugs[number - 1]
            free = plug.charge is None and (plug.visit is None or plug.visit.waits_for_start)
            free = free and self.reservations.may_begin(plug, token)
            status = "Accepted" if free else "Rejected"
            if free:
                plug.wanted = (token, told.get("remoteStartId"), self.world.now + WAITS_FOR_PLUG)
                self.world.after(self.luck.randrange(100, 3 * SECOND), lambda: self._try_start(plug))
        elif action in {"RemoteStopTransaction", "RequestStopTransaction"}:
            running = [one for one in self.plugs if one.charge is not None]
            mine = [
                one for one in running if one.charge and one.charge.transaction_id == str(told.get("transactionId"))
            ]
            status = "Accepted" if mine else "Rejected"
            for plug in mine:
                self.world.after(self.luck.randrange(100, 2 * SECOND), lambda plug=plug: self.end(plug, "Remote"))  # type: ignore[misc]  # a lambda's default has no type
        else:
            status = "Rejected"
        line.up(json.dumps([3, message_id, {"status": status}]).encode())

    def _answer_about_reservation(self, line: Line, message_id: str, action: str, told: dict[str, Any]) -> None:
        said = self.reservations.answer(action, told)
        if said is None:
            return
        status, wait = said
        error = [4, message_id, "InternalError", "", {}]
        text = json.dumps(error if status == "error" else [3, message_id, {"status": status}]).encode()
        self.world.after(wait, lambda: line.up(text))

    def tells_of_reservation(self, number: int, status: str) -> None:
        """It has ended; 1.6 has no word for that."""
        if self.protocol != "ocpp1.6":
            told = {"reservationId": number, "reservationUpdateStatus": status}
            self.say(Message("ReservationStatusUpdate", lambda: told, weighty=False, part=f"reservation {number}"))

    def _tell_variables(self) -> None:
        variable = {"component": {"name": "ReservationCtrlr"}, "variable": {"name": "NonEvseSpecific"}}
        data = [{**variable, "variableAttribute": [{"value": "true"}]}]
        told = {"requestId": 1, "generatedAt": self.clock(), "seqNo": 0, "reportData": data}
        self.say(Message("NotifyReport", lambda: told, weighty=False))

    def _try_start(self, plug: Plug) -> None:
        """A remote start meets a plug."""
        if plug.wanted is None or plug.charge is not None or plug.visit is None or self._off:
            return
        token, remote_start_id, until = plug.wanted
        plug.wanted = None
        if self.world.now <= until and plug.visit.waits_for_start:
            plug.visit.waits_for_start = False
            self.begin(plug, token, remote_start_id)

    # --- what happens at its plugs ---

    def plug_in(self, plug: Plug, visit: Any) -> None:
        """A vehicle is there."""
        plug.visit = visit
        self.status(plug, "Preparing")
        if visit.waits_for_start:
            self._try_start(plug)

    def begin(self, plug: Plug, token: str, remote_start_id: int | None = None) -> None:
        """Energy flows."""
        may, held = self.reservations.lets_begin(plug, token)
        if not may:
            return
        register = self.read(plug)
        charge = Charge(self.identity, plug.number, token, self.world.now, register, register=register)
        more: dict[str, Any] = {}
        if held is not None:
            held.charge = charge
        if held is not None and self.reservations.names_them:
            charge.names = more["reservationId"] = held.number
        self.charges.append(charge)
        plug.charge, plug.watts = charge, plug.visit.watts
        at = self.clock()
        if self.protocol == "ocpp1.6":
            told = {"connectorId": plug.number, "idTag": token, "meterStart": register, "timestamp": at, **more}
            self.say(Message("StartTransaction", lambda: told, True, charge, "start", register))  # weighty
        else:
            charge.transaction_id = f"{self.identity}-tx{len(self.charges)}"
            more["idToken"] = {"idToken": token, "type": "Central" if remote_start_id else "ISO14443"}
            if remote_start_id is not None:
                more["remote"] = remote_start_id
            self._event(plug, charge, "Started", "start", register, "Transaction.Begin", more)
        self.status(plug, "Charging")
        self.world.after(SAMPLE_EVERY, lambda: self._sample(plug, charge))
        self.world.after(plug.visit.minutes * MINUTE, lambda: self._enough(plug, charge))

    def _sample(self, plug: Plug, charge: Charge) -> None:
        if plug.charge is not charge or self._off:
            return
        register = charge.register = self.read(plug)
        at = self.clock()
        if self.protocol == "ocpp1.6":

            def build() -> dict[str, Any] | None:
                if charge.transaction_id is None:
                    return None
                values = [{"timestamp": at, "sampledValue": [{"value": str(register)}]}]
                return {
                    "connectorId": plug.number,
                    "transactionId": int(charge.transaction_id),
                    "meterValue": values,
                }

            self.say(Message("MeterValues", build, True, charge, "values", register))  # weighty
        else:
            self._event(plug, charge, "Updated", "values", register, "Sample.Periodic", {})
        self.world.after(SAMPLE_EVERY, lambda: self._sample(plug, charge))

    def _enough(self, plug: Plug, charge: Charge) -> None:
        """The vehicle is full; its driver comes back now or later."""
        if plug.charge is not charge:
            return
        self.read(plug)
        plug.watts = 0
        visit = plug.visit
        if visit.idle_minutes:
            self.status(plug, "SuspendedEV")
        self.world.after(visit.idle_minutes * MINUTE, lambda: self._come_back(plug, charge))

    def _come_back(self, plug: Plug, charge: Charge) -> None:
        if plug.charge is not charge:
            return
        self.end(plug, "Local")

    def end(self, plug: Plug, reason: str) -> None:
        """The transaction ends; the vehicle leaves a while later."""
        charge = plug.charge
        if charge is None:
            return
        register = charge.register = self.read(plug)
        plug.charge, plug.watts = None, 0
        charge.ended = True
        charge.stop_told = register
        at = self.clock()
        if self.protocol == "ocpp1.6":

            def build() -> dict[str, Any] | None:
                if charge.transaction_id is None:
                    return None
                number = int(charge.transaction_id)
                return {"transactionId": number, "meterStop": register, "timestamp": at, "reason": reason}

            self.say(Message("StopTransaction", build, True, charge, "stop", register))  # weighty
        else:
            more = {"stoppedReason": reason}
            self._event(plug, charge, "Ended", "stop", register, "Transaction.End", more)
        self.status(plug, "Finishing")
        self._leave_later(plug)

    def _leave_later(self, plug: Plug) -> None:
        visit = plug.visit
        leaves = visit.leaves_after if visit is not None else 0
        self.world.after(leaves * SECOND, lambda: self._leave(plug, visit))

    def _leave(self, plug: Plug, visit: Any) -> None:
        if plug.visit is visit and plug.charge is None:
            plug.visit = None
            self.status(plug, "Available")

    def never_started(self, plug: Plug, visit: Any) -> None:
        """Nothing came of it, and the driver goes."""
        self._leave(plug, visit)

    def _event(
        self, plug: Plug, charge: Charge, kind: str, part: str, register: int, context: str, more: dict[str, Any]
    ) -> None:
        info: dict[str, Any] = {"transactionId": charge.transaction_id}
        if "stoppedReason" in more:
            info["stoppedReason"] = more.pop("stoppedReason")
        if "remote" in more:
            info["remoteStartId"] = more.pop("remote")
        sample = {"value": register, "context": context, "measurand": "Energy.Active.Import.Register"}
        told = {
            "eventType": kind,
            "timestamp": self.clock(),
            "triggerReason": {"Started": "Authorized", "Updated": "MeterValuePeriodic"}.get(kind, "StopAuthorized"),
            "seqNo": charge.sequence,
            "offline": self._line is None,
            "transactionInfo": info,
            "evse": {"id": plug.number, "connectorId": 1},
            "meterValue": [{"timestamp": self.clock(), "sampledValue": [sample]}],
            **more,
        }
        charge.sequence += 1
        self.say(Message("TransactionEvent", lambda: told, True, charge, part, register))  # weighty

    def status(self, plug: Plug, status: str) -> None:
        """Tell how a connector is."""
        at = self.clock()
        if self.protocol == "ocpp1.6":
            told: dict[str, Any] = {
                "connectorId": plug.number,
                "status": status,
                "errorCode": "NoError",
                "timestamp": at,
            }
        else:
            word = "Available" if status == "Available" else "Occupied"
            told = {"evseId": plug.number, "connectorId": 1, "connectorStatus": word, "timestamp": at}
        self.say(Message("StatusNotification", lambda: told, weighty=False))

    # --- what happens to it ---

    def reset_meter(self, plug: Plug) -> None:
        """Somebody changes the meter, or it loses its count."""
        self.read(plug)
        plug.register = 0
        if plug.charge is not None:
            plug.charge.meter_was_reset = True

    def reboot(self, seconds: int) -> None:
        """The power goes, and comes back."""
        forgets = "forgets" in self.quirks
        for plug in self.plugs:
            charge = plug.charge
            if charge is not None:
                if forgets:
                    self.read(plug)
                    plug.charge, plug.watts = None, 0
                    charge.ended = charge.given_up = True
                    self._leave_later(plug)
                else:
                    self.end(plug, "PowerLoss")
            plug.wanted = None
            if "meter_in_memory" in self.quirks:
                plug.register = 0
        for message in [one for one in self._queue if forgets or not one.weighty]:
            self._drop(message)
        self._in_flight = None
        if self._line is not None:
            self._line.cut(noticed=False)
            self._line = None
        self._booted = False
        self._off = True
        self.world.say(f"{self.identity} loses power for {seconds} s")
        self.world.after(seconds * SECOND, self._power_up)

    def _power_up(self) -> None:
        self._off = False
        self._boot_clock()
        self.reservations.after_power(forgets="forgets" in self.quirks)
        for plug in self.plugs:
            self.status(plug, "Preparing" if plug.visit is not None else "Available")
        self._knock(self.luck.randrange(SECOND, 10 * SECOND))
