"""The real server as a process of its own, that can be killed; and a station that speaks raw OCPP to it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from itertools import count
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tallywatt.kernel.clock import Instant
from tallywatt.settings import Settings
from tallywatt.stations.credentials import hash_key
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.asyncio.client import ClientConnection

KEY = "station-key-of-the-tests"
TARIFF = {
    "id": "plain",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.30, "vat": 20, "step_size": 1}]}],
}
ANSWERS_WITHIN_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Installation:
    """A data directory or database, and the server processes that run on it."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.settings = Settings(
            data_dir=folder, database_url=database_url, http_port=free_port(), ocpp_port=free_port()
        )
        self._log = folder / "server.log"
        self.running: list[subprocess.Popen[bytes]] = []
        self.operator = ""
        self.environment: dict[str, str] = {}
        """What a server is told besides."""

    def furnish(self) -> None:
        """An operator, a station, a tariff, a customer with a card: written before any server runs."""
        upgrade(self.settings.url)
        house = House(self.settings)
        house.open(following=False)
        self.operator = house.new_id("operator")
        commands: list[tuple[Any, Any]] = [
            (add_operator, AddOperator("dundee", "Dundee")),
            (add_station, AddStation("CP1", None, hash_key(KEY, house.pepper), (NewEvse(1), NewEvse(2)))),
            (put_tariff, PutTariff(TARIFF)),
            (assign_tariff, AssignTariff("plain", valid_from=Instant(0))),
            (add_customer, AddCustomer("C1")),
            (add_token, AddToken("CARD1", "C1")),
        ]
        for workflow, command in commands:
            house.write_now(self.operator, workflow, command, actor="test")
        house.close()

    def start(self, only: str | None = None) -> subprocess.Popen[bytes]:
        """Start a server process."""
        environment = {
            **os.environ,
            "TALLYWATT_DATA_DIR": str(self.settings.data_dir),
            "TALLYWATT_HTTP_PORT": str(self.settings.http_port),
            "TALLYWATT_OCPP_PORT": str(self.settings.ocpp_port),
        }
        environment |= self.environment
        if self.settings.database_url is not None:
            environment["TALLYWATT_DATABASE_URL"] = self.settings.database_url
        command = [sys.executable, "-m", "tallywatt", "serve", *(["--only", only] if only else [])]
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def kill(self) -> None:
        """SIGKILL to every server process: nothing in memory is left."""
        for process in self.running:
            process.kill()
            process.wait()
        self.running = []

    def stop(self) -> list[int]:
        """SIGTERM, and how each process ended."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        ends = [process.wait(timeout=ANSWERS_WITHIN_SECONDS) for process in self.running]
        self.running = []
        return ends

    def until_healthy(self) -> None:
        """Wait for the first answer of the HTTP door."""
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.settings.base_url}/health", timeout=2) as answer:
                    assert answer.status == 200
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                log = self._log.read_text()
                assert all(one.poll() is None for one in self.running), log
                assert time.monotonic() < deadline, log
                time.sleep(0.05)

    def house(self) -> House:
        """A house of the test's own on what the server has left: on SQLite only while no server runs."""
        house = House(self.settings)
        house.open(following=False)
        return house


class Station:
    """A station on a raw socket. It says what it is told to say, and waits for the answer only if asked to."""

    def __init__(self, installation: Installation, identity: str = "CP1") -> None:
        self._address = f"ws://127.0.0.1:{installation.settings.ocpp_port}/ocpp/dundee/{identity}"
        secret = base64.b64encode(f"{identity}:{KEY}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}
        self._numbers = count(1)
        self.socket: ClientConnection | None = None

    async def plug_in(self) -> None:
        """Open the socket; keep trying while the server is on its way up."""
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while True:
            try:
                self.socket = await connect(
                    self._address,
                    subprotocols=[Subprotocol("ocpp1.6")],
                    additional_headers=self._headers,
                    compression=None,
                )
                return
            except OSError:
                assert time.monotonic() < deadline, "the gateway does not listen"
                await asyncio.sleep(0.1)

    async def say(self, action: str, payload: dict[str, Any]) -> str:
        """Send a CALL with a new message id, and do not wait."""
        assert self.socket is not None, "plug in first"
        message_id = f"{id(self)}-{next(self._numbers)}"
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a CALL and return the payload of its CALLRESULT."""
        message_id = await self.say(action, payload)
        assert self.socket is not None, "say was sent"
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            while True:
                message = json.loads(await self.socket.recv())
                if message[0] == 2:
                    await self.socket.send(json.dumps([3, message[1], {"status": "Accepted"}]))
                    continue
                assert message[:2] == [3, message_id], message
                answer: dict[str, Any] = message[2]
                return answer

    async def unplug(self) -> None:
        """Cut the socket without a goodbye."""
        if self.socket is not None:
            self.socket.transport.abort()
            self.socket = None
