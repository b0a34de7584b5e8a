"""The how-to pages, run as they stand there: against a real server, a real station and a real payment simulator."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake
from websockets.typing import Subprotocol

from tallywatt.adapters.machine import MachineClock
from tallywatt.customers.access import ALL_SCOPES
from tallywatt.kernel.clock import rfc3339
from tallywatt.kernel.identity import CustomerId
from tallywatt.wiring import provider_of
from tallywatt.workflows.add_customer import AddCustomer, add_customer
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.create_api_key import CreateApiKey, create_api_key
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tests.docs.blocks import blocks
from tests.simulators.psp.running import KEY as PROVIDER_KEY
from tests.simulators.psp.running import RunningPsp
from tests.whole.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "how-to/ten-tasks.md"
IDENTITY, STATION_KEY = "SQ-7", "a-key-of-sixteen"
SECONDS = 120


class StartingStation(ChargePoint):  # type: ignore[misc]  # the `ocpp` package carries no types
    """A station that does what it is asked to: it starts, and says so."""

    @on("RemoteStartTransaction", skip_schema_validation=True)  # type: ignore[untyped-decorator]  # the same
    async def start_it(self, id_tag: str, **_: Any) -> Any:
        """Say yes; the transaction follows by itself."""
        self.tag = id_tag
        self.begin = asyncio.get_running_loop().create_task(self._begin())
        return call_result.RemoteStartTransaction(status="Accepted")

    async def _begin(self) -> None:
        await self.call(
            call.StartTransaction(
                connector_id=1, id_tag=self.tag, meter_start=0, timestamp=rfc3339(MachineClock().now())
            )
        )


async def _stand_there(port: int) -> None:
    """Knock until the station was added, then stay."""
    while True:
        try:
            socket = await connect(
                f"ws://127.0.0.1:{port}/ocpp/dundee/{IDENTITY}",
                subprotocols=[Subprotocol("ocpp1.6")],
                additional_headers={"Authorization": f"Basic {_basic()}"},
            )
        except (OSError, InvalidHandshake):
            await asyncio.sleep(0.2)
            continue
        station = StartingStation(IDENTITY, socket)
        listening = asyncio.create_task(station.start())
        greeting = call.BootNotification(charge_point_model="M", charge_point_vendor="V")
        while (await station.call(greeting)).status != "Accepted":  # noqa: ASYNC110  # the script that adds it sets no event
            await asyncio.sleep(0.2)
        await listening


def _basic() -> str:
    return base64.b64encode(f"{IDENTITY}:{STATION_KEY}".encode()).decode()


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the page expects: a server, the location, the customer with a stored card, and a key in the environment."""
    monkeypatch.setenv("TEN_TASKS_PROVIDER", PROVIDER_KEY)
    monkeypatch.setenv("TEN_TASKS_WEBHOOK", "whsec_tests")
    with RunningPsp(tmp_path / "psp.jsonl") as psp:
        installation = Installation(tmp_path / "data")
        installation.furnish()
        key, admin_key = _as_start_leaves_it(installation, psp.url)
        installation.start()
        try:
            installation.until_healthy()
            yield {
                "TALLYWATT_URL": installation.settings.base_url,
                "TALLYWATT_KEY": key,
                "TALLYWATT_ADMIN_KEY": admin_key,
                "PORT": str(installation.settings.ocpp_port),
            }
        finally:
            installation.kill()


def _as_start_leaves_it(installation: Installation, provider_url: str) -> tuple[str, str]:
    house = installation.house()

    def do(workflow: Any, command: object) -> Any:
        return house.write_now(installation.operator, workflow, command, actor="test")

    do(add_location, AddLocation("square", "Market Square"))
    account = AddProviderAccount(
        "main", "stripe", ("GBP",), "env:TEN_TASKS_PROVIDER", ("env:TEN_TASKS_WEBHOOK",), base_url=provider_url
    )
    kept = do(add_provider_account, account)
    customer = do(add_customer, AddCustomer("C-1", name="A first customer"))
    [row] = house.ask_now(house.views.provider_accounts, installation.operator)
    stored = provider_of(row).store_method("C-1", "pm_card_visa", "store C-1")
    do(keep_method, KeepMethod(CustomerId(customer.customer_id), kept.account_id, stored))
    made: str = do(
        create_api_key, CreateApiKey("script", ("read", "operate", "sell", "collect", "sessions", "audit"))
    ).text
    admin: str = do(create_api_key, CreateApiKey("admin", ALL_SCOPES)).text
    house.close()
    return made, admin


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_ten_tasks_work_as_they_are_written(environment: dict[str, str], tmp_path: Path, language: str) -> None:
    """An integrator copies them on the first morning; one that fails costs us the rest of the day's trust."""
    port = int(environment["PORT"])
    loop = asyncio.new_event_loop()
    standing = threading.Thread(target=lambda: _until_cancelled(loop, port), daemon=True)
    standing.start()
    code = "\n".join(blocks(PAGE, language))
    command = ["bash", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
    folder = tmp_path / "script"
    folder.mkdir()
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        loop.call_soon_threadsafe(_cancel_all, loop)
        standing.join(10)

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert (folder / "invoice.pdf").read_bytes().startswith(b"%PDF")
    # curl puts no line's end behind an answer, so the first event may stand behind one.
    events = [json.loads(found) for found in re.findall(r"data: (\{.*\})$", ran.stdout, re.MULTILINE)]
    assert [one["position"] for one in events] == sorted(one["position"] for one in events)
    assert len(events) == 3
    assert "2026-11-02T17:05:00" in ran.stdout


def test_the_examples_of_the_guide_work_as_they_are_written(environment: dict[str, str], tmp_path: Path) -> None:
    """The manners are shown by requests, and each shows what the text says; limits and keys by the same server."""
    ran = _run("how-to/api.md", environment, tmp_path)
    assert ran.stdout.count('"slug":"dundee"') == 2, "by key, and by token"
    assert '{"identity":"CP1","state":"adopted"}' in ran.stdout
    [first, second] = re.findall(r'\{"id":"[^{}]*"reference":"C-17"[^{}]*\}', ran.stdout)
    assert first == second
    assert "}304\n" in ran.stdout or "\n304\n" in ran.stdout
    assert '{"rows":3,"taken":2,"already_there":0,"held":0,"refused":1}' in ran.stdout
    assert "3,refused,row.member_unfit," in ran.stdout
    assert '"is_clean":true,"findings":0' in ran.stdout

    kept = _run("how-to/limits-and-keys.md", environment, tmp_path).stdout
    assert 'ratelimit-policy: "keys";q=1200;w=60' in kept
    assert kept.count('{"slug":"dundee"}') == 2, "by the old secret, and by the new one"
    assert "}401\n" in kept.replace("}\n", "}"), "revoked"
    assert '{"scopes":["read"]}' in kept


def _run(page: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The shell examples of a page, one after the other; what fails, fails here."""
    ran = subprocess.run(
        ["bash", "-euc", "\n".join(blocks(page, "sh"))],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran


def _until_cancelled(loop: asyncio.AbstractEventLoop, port: int) -> None:
    try:
        loop.run_until_complete(_stand_there(port))
    except asyncio.CancelledError:
        pass
    finally:
        loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
