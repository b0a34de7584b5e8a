"""An installation that is watched: figures for every queue, one id from a frame to its invoice, ready or not."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tallywatt.workflows.plug_in import plug_in
from tallywatt.workflows.unplug import unplug
from tests.simulators.psp.running import RunningPsp
from tests.whole.processes import ANSWERS_WITHIN_SECONDS, Installation, Station, free_port
from tests.whole.test_killed import START
from tests.whole.town import OPERATOR, Town
from tests.workflows.house_of import KWH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def town(engine_url: str, tmp_path: Path) -> Iterator[Town]:
    """An installation that collects, and is watched."""
    made = Town(tmp_path / "data", None if engine_url.startswith("sqlite:") else engine_url)
    made.settings.data_dir.mkdir()
    made.settings = made.settings.model_copy(update={"metrics_port": free_port()})
    with RunningPsp(tmp_path / "psp.jsonl") as psp:
        made.furnish(psp)
        made.house.open_measures()
        yield made
        made.close()


def scraped(port: int | None) -> dict[tuple[str, tuple[str, ...]], float]:
    """What Prometheus reads."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_queue_is_measured(town: Town) -> None:
    """What waits, how long it takes, and how it ends."""
    town.wire.charge(2 * KWH)
    running = town.wire.start(evse=2)
    assert running
    before = scraped(town.settings.metrics_port)
    town.work()
    after = scraped(town.settings.metrics_port)

    assert before["tallywatt_jobs", ("call_provider", "ready")] == 1
    assert before["tallywatt_jobs_due", ("call_provider",)] == 1
    assert ("tallywatt_jobs", ("call_provider", "ready")) not in after
    assert after["tallywatt_provider_calls_total", ("charge", "Succeeded")] == 1
    assert after["tallywatt_provider_call_seconds_count", ("charge",)] == 1
    assert after["tallywatt_writer_commands_total", ()] > before["tallywatt_writer_commands_total", ()]
    assert after["tallywatt_writer_commit_seconds_count", ()] > 0
    assert after["tallywatt_writer_group_commands_count", ()] > 0
    assert after["tallywatt_writer_queue_commands", ()] == 0
    assert after["tallywatt_sessions_running", ()] == 1
    assert after["tallywatt_inbox_open", ()] == 0
    assert after["tallywatt_restorations_waiting", ()] == 0
    assert after["tallywatt_operations_unresolved", ("unknown",)] == 0
    assert ("tallywatt_events_without_position", ()) in after
    assert "Ada Driver" not in httpx.get(f"http://127.0.0.1:{town.settings.metrics_port}/metrics", trust_env=False).text


def test_one_id_leads_from_a_frame_to_its_invoice_and_payment(town: Town) -> None:
    """Somebody asks about one message of one station at four in the morning."""
    start = town.wire.started(town.now)
    transaction = town.house.write_now(OPERATOR, plug_in, start, actor="station:1", cause="m-1").transaction_id
    stop = town.wire.stopped(transaction, town.later(30), 2 * KWH)
    town.house.write_now(OPERATOR, unplug, stop, actor="station:1", cause="m-2")
    town.work("house", "providers", "papers")

    town.house.store.sequence()
    events: list[Any] = town.house.ask_now(town.house.views.events_after, 0)
    caused = [one.event.type for one in events if one.cause == "m-2"]

    assert {"TransactionEnded", "SessionBilled", "PaymentIntended", "PaymentCaptured"} <= set(caused)
    assert {one.cause for one in town.rows(lambda work: work.stored_jobs.by())} == {"m-2"}


def until_ready(installation: Installation) -> dict[str, Any]:
    """The first answer that is not 503: the server answers before its pages are built."""
    deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while True:
        answer = httpx.get(f"{installation.settings.base_url}/ready", trust_env=False)
        told: dict[str, Any] = answer.json()
        if answer.status_code == 200:
            return told
        assert (answer.status_code, told["status"]) == (503, "not ready")
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


async def test_a_server_tells_its_calls_and_when_it_is_ready(installation: Installation) -> None:
    """The figures of a real process with a real station on its socket."""
    port = free_port()
    installation.environment["TALLYWATT_METRICS_PORT"] = str(port)
    installation.start()
    station = Station(installation)
    await station.plug_in()
    await station.ask("StartTransaction", START)
    installation.until_healthy()

    ready = await asyncio.to_thread(until_ready, installation)
    told = await asyncio.to_thread(scraped, port)

    assert told["tallywatt_ocpp_call_seconds_count", ("StartTransaction",)] == 1
    assert told["tallywatt_ocpp_connected_stations", ()] == 1
    assert told["tallywatt_feed_viewers", ()] == 0
    assert ready == {"status": "ready", "in_the_way": []}
    assert installation.stop() == [0]


def test_who_is_not_watched_does_not_pay_for_it() -> None:
    """A start loads what it needs; two seconds are the budget."""
    code = "import sys, json; import tallywatt.entrypoints.cli.serve; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)

    assert "tallywatt.wiring" in loaded
    assert not [one for one in loaded if one.startswith(("prometheus_client", "numpy", "pyarrow"))]
