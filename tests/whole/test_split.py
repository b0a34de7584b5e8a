"""On PostgreSQL the house runs as several processes; on SQLite it is refused, because one process owns writing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tallywatt.stations.command import Action, CommandState
from tallywatt.workflows.command_station import CommandStation, command_station
from tests.whole.processes import ANSWERS_WITHIN_SECONDS, Station
from tests.whole.test_killed import START, at

if TYPE_CHECKING:
    from pathlib import Path

    from tallywatt.invoicing.printed import PrintedInvoice
    from tallywatt.wiring import House
    from tests.whole.processes import Installation


async def test_http_gateway_and_worker_as_three_processes_bill_a_session(split_installation: Installation) -> None:
    """The gateway takes the facts in, the worker prints the invoice, the pages show it."""
    for part in ("http", "gateway", "worker"):
        split_installation.start(part)
    station = Station(split_installation)
    await station.plug_in()
    number = (await station.ask("StartTransaction", START))["transactionId"]
    await station.ask("StopTransaction", {"transactionId": number, "meterStop": 2000, "timestamp": at(20)})
    split_installation.until_healthy()

    house = split_installation.house()
    try:
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while not (printed := _printed(house, split_installation.operator)):
            assert time.monotonic() < deadline, "no worker has printed the invoice"
            await asyncio.sleep(0.2)
        assert printed[0].content.startswith(b"%PDF")
    finally:
        house.close()
    assert split_installation.stop() == [0, 0, 0]


async def test_a_command_written_by_one_process_reaches_the_station_of_another(
    split_installation: Installation,
) -> None:
    """The console and the gateway are two processes; the outbox between them is the database."""
    split_installation.start("gateway")
    station = Station(split_installation)
    await station.plug_in()
    house = split_installation.house()
    try:
        found = house.ask_now(house.views.stations, split_installation.operator)[0]
        command = house.write_now(
            split_installation.operator, command_station, CommandStation(found["id"], Action.RESET), actor="person:1"
        )
        answering = asyncio.create_task(_answer_calls(station))
        deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
        while True:
            row = house.write_now(
                split_installation.operator,
                lambda work, key: work.station_commands.get(key),
                command.command_id,
                actor="test",
            )
            if row.state is CommandState.COMPLETED:
                break
            assert time.monotonic() < deadline, row
            await asyncio.sleep(0.1)
        answering.cancel()
    finally:
        house.close()


def test_on_sqlite_a_part_alone_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Two writers on one file would wait for each other, or fail."""
    environment = {**os.environ, "TALLYWATT_DATA_DIR": str(tmp_path)}
    environment.pop("TALLYWATT_DATABASE_URL", None)
    ended = subprocess.run(
        [sys.executable, "-m", "tallywatt", "serve", "--only", "gateway"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode != 0
    assert "serve.cannot_split" in ended.stderr
    assert "PostgreSQL" in ended.stderr


def _printed(house: House, operator: str) -> list[PrintedInvoice]:
    return house.write_now(
        operator, lambda work, media: work.printed_invoices.by(media_type=media), "application/pdf", actor="test"
    )


async def _answer_calls(station: Station) -> None:
    assert station.socket is not None, "plugged in"
    async for text in station.socket:
        message = json.loads(text)
        if message[0] == 2:
            await station.socket.send(json.dumps([3, message[1], {"status": "Accepted"}]))
