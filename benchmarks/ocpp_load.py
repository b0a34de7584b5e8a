"""A lean load of OCPP 1.6 stations: each says one thing after the other on its own socket, as fast as it is answered.

It stands for the stations and must cost less than what it measures, so it reads no JSON: frames are bytes made beforehand, and
an answer is taken by its first bytes. Its frames are checked against the `ocpp` package in `tests/adapters/ocpp/test_load.py`.

    python -m benchmarks.ocpp_load ws://127.0.0.1:9000/ocpp --stations 64 --calls 50000 --play values
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import ssl
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import uvloop
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "load-load-load-load"
TOKEN = "LOADTOKEN"
FIRST_AT = 1_795_248_000
"""2026-11-21T08:00:00Z: the stations' clocks tell business time, which the load moves on by itself."""
VALUES_A_SESSION = 4
VALUES_OF_A_MIX = 24
LONGEST_PAUSE_SECONDS = 1.0
"""After which a station that was not let in comes again at the latest."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it."""

    calls: int
    errors: int
    seconds: float
    cpu_seconds: float
    """Of the load itself, to see that it was not the bottleneck."""
    p50_ms: float
    p99_ms: float


def identity(number: int) -> str:
    """The nth station."""
    return f"LOAD{number:05d}"


def at(second: int) -> str:
    """A time of the station's clock."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(FIRST_AT + second))


def boot(number: int) -> bytes:
    """BootNotification."""
    return b'[2,"b%d","BootNotification",{"chargePointVendor":"Load","chargePointModel":"L1"}]' % number


def start(number: int, second: int, register: int) -> bytes:
    """StartTransaction; the register tells the sessions of a station apart."""
    return (
        f'[2,"s{number}","StartTransaction",{{"connectorId":1,"idTag":"{TOKEN}",'
        f'"meterStart":{register},"timestamp":"{at(second)}"}}]'
    ).encode()


def values(number: int, second: int, register: int, transaction: int) -> bytes:
    """MeterValues as most stations send them: the register and the power."""
    return (
        f'[2,"v{number}","MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"{at(second)}",'
        f'"sampledValue":[{{"value":"{register}","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register",'
        '"location":"Outlet","unit":"Wh"},{"value":"7200","context":"Sample.Periodic","measurand":"Power.Active.Import",'
        '"location":"Outlet","unit":"W"}]}]}]'
    ).encode()


def stop(number: int, second: int, register: int, transaction: int) -> bytes:
    """StopTransaction."""
    return (
        f'[2,"e{number}","StopTransaction",{{"transactionId":{transaction},"meterStop":{register},'
        f'"timestamp":"{at(second)}","idTag":"{TOKEN}","reason":"Local"}}]'
    ).encode()


def status(number: int, second: int, is_now: str) -> bytes:
    """StatusNotification."""
    return (
        f'[2,"t{number}","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"{is_now}",'
        f'"timestamp":"{at(second)}"}}]'
    ).encode()


class Station(WSListener):
    """One station. `go` says the next thing of its play; in a closed loop every answer makes it say one more."""

    def __init__(self, play: Callable[[Station], Iterator[bytes]]) -> None:
        self._play = play(self)
        self._transport: WSTransport | None = None
        self._sent: deque[float] = deque()
        self.transaction = 0
        self.first_second = 0
        """Where the statuses begin: told again with the same times they would be the same facts."""
        self.latencies: list[float] = []
        self.errors = 0
        self.answered: Callable[[], None] = lambda: None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Ready to speak."""
        self._transport = transport

    def go(self) -> None:
        """Say the next thing."""
        assert self._transport is not None, "only a connected station says something"
        frame = next(self._play)
        self._sent.append(time.perf_counter())
        self._transport.send(WSMsgType.TEXT, frame)

    def on_ws_frame(self, _: WSTransport, frame: WSFrame) -> None:
        """Answers come in the order of the questions."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        self.latencies.append(time.perf_counter() - self._sent.popleft())
        text = frame.get_payload_as_bytes()
        if not text.startswith(b"[3,"):
            self.errors += 1
        place = text.find(b'"transactionId":')
        if place > 0:
            digits = text[place + 16 :].lstrip()
            self.transaction = int(digits[: digits.index(b",")])
        self.answered()


def only_values(station: Station) -> Iterator[bytes]:
    """One session that never ends."""
    numbers = count(1)
    yield start(next(numbers), 0, 0)
    for number in numbers:
        yield values(number, 10 * number, 20 * number, station.transaction)


def whole_sessions(station: Station) -> Iterator[bytes]:
    """Sessions with a start, a few values and a stop, one after the other."""
    numbers = count(1)
    second = register = 0
    while True:
        yield start(next(numbers), second, register)
        for _ in range(VALUES_A_SESSION):
            second, register = second + 600, register + 1200
            yield values(next(numbers), second, register, station.transaction)
        second, register = second + 60, register + 100
        yield stop(next(numbers), second, register, station.transaction)
        second += 60


def statuses(station: Station) -> Iterator[bytes]:
    """One session that never ends, whose vehicle pauses and goes on."""
    numbers = count(1)
    yield start(next(numbers), 0, 0)
    for number in numbers:
        yield status(number, station.first_second + 10 * number, "Charging" if number % 2 else "SuspendedEV")


def boots(_: Station) -> Iterator[bytes]:
    """A station that has just come back."""
    for number in count(1):
        yield boot(number)


def mixed(station: Station) -> Iterator[bytes]:
    """What a station says in a day: mostly values, between them signs of life and statuses, and a new session now and then."""
    numbers = count(1)
    second = register = 0
    while True:
        yield start(next(numbers), second, register)
        for step in range(1, VALUES_OF_A_MIX + 1):
            second, register = second + 30, register + 60
            yield values(next(numbers), second, register, station.transaction)
            if step % 6 == 0:
                yield status(next(numbers), second, "SuspendedEV" if step % 12 else "Charging")
                yield b'[2,"h%d","Heartbeat",{}]' % next(numbers)
        second = second + 60
        yield stop(next(numbers), second, register, station.transaction)
        second += 60


def heartbeats(_: Station) -> Iterator[bytes]:
    """Nothing but signs of life."""
    for number in count(1):
        yield b'[2,"h%d","Heartbeat",{}]' % number


PLAYS: dict[str, Callable[[Station], Iterator[bytes]]] = {
    "values": only_values,
    "sessions": whole_sessions,
    "statuses": statuses,
    "heartbeats": heartbeats,
    "mixed": mixed,
    "boots": boots,
}


def trusting(certificate: str | None) -> ssl.SSLContext | None:
    """What stations need to come by TLS: whom they trust."""
    return None if certificate is None else ssl.create_default_context(cafile=certificate)


async def connect(
    url: str, number: int, play: str, context: ssl.SSLContext | None = None
) -> tuple[WSTransport, Station]:
    """One station's socket."""
    shown = base64.b64encode(f"{identity(number)}:{KEY}".encode()).decode()
    headers = {"Authorization": f"Basic {shown}", "Sec-WebSocket-Protocol": "ocpp1.6"}
    transport, station = await ws_connect(
        lambda: Station(PLAYS[play]),
        f"{url}/{identity(number)}",
        extra_headers=headers,
        ssl_context=context,
        websocket_handshake_timeout=60,
    )
    assert isinstance(station, Station), "the factory makes no other"
    return transport, station


async def run(
    url: str, stations: int, calls: int, play: str, a_second: float | None = None, *, wait: bool = False, first: int = 0
) -> Load:
    """Connect all, let each say its first thing, then measure; `a_second` holds the pace of all together.

    With `wait`, what is to be measured begins with a line of the input.
    """
    pairs = [await connect(url, number, play) for number in range(stations)]
    everyone = [station for _, station in pairs]
    for station in everyone:
        station.first_second = first
    await _closed_loop(everyone, len(everyone))
    for station in everyone:
        station.latencies.clear()
    print("begin", file=sys.stderr, flush=True)
    if wait:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    started, cpu = time.perf_counter(), time.process_time()
    await (_closed_loop(everyone, calls) if a_second is None else _paced(everyone, calls, a_second))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print("end", file=sys.stderr, flush=True)
    for transport, _ in pairs:
        transport.disconnect()
    latencies = sorted(one for station in everyone for one in station.latencies)
    errors = sum(station.errors for station in everyone)
    p50, p99 = (latencies[len(latencies) * percent // 100] * 1000 for percent in (50, 99))
    return Load(len(latencies), errors, seconds, cpu, p50, p99)


async def _closed_loop(stations: list[Station], calls: int) -> None:
    """Each station says the next thing as soon as the last one was answered, until all calls are used up."""
    left, waiting = calls, min(calls, len(stations))
    finished = asyncio.get_running_loop().create_future()

    def next_of(station: Station) -> None:
        nonlocal left, waiting
        if left > 0:
            left -= 1
            station.go()
        else:
            waiting -= 1
            if waiting == 0:
                finished.set_result(None)

    for station in stations[:waiting]:
        station.answered = partial(next_of, station)
        next_of(station)
    await finished
    for station in stations:
        station.answered = lambda: None


async def _paced(stations: list[Station], calls: int, a_second: float) -> None:
    """Each station speaks when its turn comes, answered or not: a slow server is not asked more slowly."""
    clock = asyncio.get_running_loop().time
    first = clock()
    for number in range(calls):
        wait = first + number / a_second - clock()
        if wait > 0:
            await asyncio.sleep(wait)
        stations[number % len(stations)].go()
    while sum(len(station.latencies) for station in stations) < calls:  # noqa: ASYNC110  # an event would cost each answer
        await asyncio.sleep(0.01)


async def idle(url: str, stations: int, context: ssl.SSLContext | None) -> None:
    """Connect, say one thing, and stay until somebody closes our input."""
    pairs = [await connect(url, number, "heartbeats", context) for number in range(stations)]
    await _closed_loop([station for _, station in pairs], stations)
    print("connected", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for transport, _ in pairs:
        transport.disconnect()


@dataclass(frozen=True, slots=True)
class Return:
    """How all stations came back at the same moment."""

    seconds: float
    """Until the last of them had the answer to its boot."""
    p50_ms: float
    p99_ms: float
    again: int
    """How often one had to try again."""
    cpu_seconds: float
    """Of the load itself: with TLS it pays for the handshakes as much as the gateway does."""


async def come_back(url: str, stations: int, context: ssl.SSLContext | None) -> Return:
    """All connect at once and boot, as after a power cut; one that is not let in tries again a little later."""
    again = 0
    waits: list[float] = []
    open_ones: list[WSTransport] = []

    async def one(number: int) -> None:
        nonlocal again
        while True:
            try:
                transport, station = await connect(url, number, "boots", context)
            except (OSError, WSError):
                again += 1
                await asyncio.sleep(random.uniform(0.1, LONGEST_PAUSE_SECONDS))
            else:
                break
        open_ones.append(transport)
        await _closed_loop([station], 1)
        waits.append(time.perf_counter() - began)
        assert not station.errors, "a station that is known may boot"

    print("begin", file=sys.stderr, flush=True)
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(number) for number in range(stations)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print("end", file=sys.stderr, flush=True)
    for transport in open_ones:
        transport.disconnect()
    p50, p99 = (sorted(waits)[len(waits) * percent // 100] * 1000 for percent in (50, 99))
    return Return(seconds, p50, p99, again, cpu)


async def _wanted(told: Any) -> Load:
    return await run(
        told.url, told.stations, told.calls, told.play, told.a_second, wait=told.wait, first=told.first_second
    )


def main() -> None:
    """Run a load and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", help="the gateway with the path before the station's id")
    parser.add_argument("--stations", type=int, default=64)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--play", choices=sorted(PLAYS), default="values")
    parser.add_argument(
        "--a-second", type=float, help="calls a second of all stations together; default: as fast as can be"
    )
    parser.add_argument("--first-second", type=int, default=0, help="where the statuses begin on the stations' clocks")
    parser.add_argument("--wait", action="store_true", help="begin with a line of the input")
    parser.add_argument("--idle", action="store_true", help="connect and stay until the input ends")
    parser.add_argument("--come-back", action="store_true", help="connect all at once, boot, and go")
    parser.add_argument("--trust", metavar="PEM", help="whose certificate the stations trust, for wss")
    told: Any = parser.parse_args()
    context = trusting(told.trust)
    if told.idle:
        uvloop.run(idle(told.url, told.stations, context))
    elif told.come_back:
        print(json.dumps(asdict(uvloop.run(come_back(told.url, told.stations, context)))))
    else:
        print(json.dumps(asdict(uvloop.run(_wanted(told)))))


if __name__ == "__main__":
    main()
