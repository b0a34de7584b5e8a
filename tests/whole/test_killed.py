"""The server is killed with SIGKILL while stations talk: nothing that was acknowledged is lost, nothing happens twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant, rfc3339
from tests.whole.processes import Installation, Station

if TYPE_CHECKING:
    from pathlib import Path

NOON = Instant(1_767_268_800_000)
MINUTE = 60_000


def at(minutes: int) -> str:
    """So many minutes after noon."""
    return rfc3339(Instant(NOON + minutes * MINUTE))


START: dict[str, Any] = {"connectorId": 1, "idTag": "CARD1", "meterStart": 1000, "timestamp": at(0)}


def values(transaction_id: int, minutes: int, register: int) -> dict[str, Any]:
    """MeterValues with one register."""
    sample = {"timestamp": at(minutes), "sampledValue": [{"value": str(register)}]}
    return {"connectorId": 1, "transactionId": transaction_id, "meterValue": [sample]}


def sessions_of(installation: Installation) -> list[dict[str, Any]]:
    """All sessions, read from what the server has left behind."""
    house = installation.house()
    try:
        found: list[dict[str, Any]] = house.ask_now(house.views.sessions, installation.operator)["items"]
    finally:
        house.close()
    return found


async def test_a_start_resent_after_a_crash_is_one_session_with_one_transaction_id(installation: Installation) -> None:
    """The answer was lost with the socket, the server was killed, and the station asks five times more."""
    installation.start()
    station = Station(installation)
    await station.plug_in()
    await station.say("StartTransaction", START)
    await station.unplug()
    installation.kill()

    installation.start()
    await station.plug_in()
    answers = [await station.ask("StartTransaction", START) for _ in range(5)]

    [transaction_id] = {answer["transactionId"] for answer in answers}
    assert transaction_id > 0
    await station.ask("StopTransaction", {"transactionId": transaction_id, "meterStop": 3000, "timestamp": at(30)})
    assert installation.stop() == [0]
    [session] = sessions_of(installation)
    assert session["energy_wh"] == "2000"
    assert session["state"] == "billed"


async def test_what_was_acknowledged_survives_a_kill_at_once(installation: Installation) -> None:
    """Commit before you answer: the kill comes with the answer still warm."""
    installation.start()
    station = Station(installation)
    await station.plug_in()
    answer = await station.ask("StartTransaction", START)
    installation.kill()

    installation.start()
    await station.plug_in()
    await station.ask("MeterValues", values(answer["transactionId"], 10, 1500))
    installation.kill()
    installation.start()
    await station.plug_in()
    stop = {"transactionId": answer["transactionId"], "meterStop": 2000, "timestamp": at(20)}
    await station.ask("StopTransaction", stop)
    installation.kill()

    [session] = sessions_of(installation)
    assert session["energy_wh"] == "1000"
    assert session["total_minor"] == 30


async def test_a_queue_from_offline_comes_after_boot_and_available_and_loses_nothing(
    installation: Installation,
) -> None:
    """OCPP 1.6 stations greet first and tell their queue afterwards: closing on Boot or Available destroys a good stop."""
    installation.start()
    station = Station(installation)
    await station.plug_in()
    transaction_id = (await station.ask("StartTransaction", START))["transactionId"]
    await station.unplug()

    await station.plug_in()
    await station.ask("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    available = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": at(45)}
    await station.ask("StatusNotification", available)
    await station.ask("MeterValues", values(transaction_id, 10, 2000))
    await station.ask("StopTransaction", {"transactionId": transaction_id, "meterStop": 4500, "timestamp": at(40)})

    assert installation.stop() == [0]
    [session] = sessions_of(installation)
    assert session["energy_wh"] == "3500"
    assert session["transaction_ended_at"] == at(40)
    assert session["state"] == "billed"


async def test_stops_of_transactions_that_nobody_started_are_acknowledged_and_wait_in_the_inbox(
    installation: Installation,
) -> None:
    """A CALLERROR makes stations repeat themselves for ever or reboot; a log line is read by nobody."""
    installation.start()
    station = Station(installation)
    await station.plug_in()
    for number in (-1, 0, 999_999):
        await station.ask("StopTransaction", {"transactionId": number, "meterStop": 5000, "timestamp": at(5)})

    assert installation.stop() == [0]
    house = installation.house()
    try:
        inbox = house.ask_now(house.views.inbox, installation.operator)["items"]
        assert len(inbox) == 3
        assert {item["kind"] for item in inbox} == {"unknown_transaction"}
        assert house.ask_now(house.views.sessions, installation.operator)["items"] == []
    finally:
        house.close()


async def test_two_sessions_of_a_station_whose_clock_stands_in_1970_are_two_sessions(
    installation: Installation,
) -> None:
    """A dead clock and a meter that starts from 0 tell the same start twice; the driver has charged twice."""
    installation.start()
    station = Station(installation)
    await station.plug_in()
    frozen = "1970-01-01T00:00:00Z"
    numbers = []
    for _ in range(2):
        start = {"connectorId": 1, "idTag": "CARD1", "meterStart": 0, "timestamp": frozen}
        numbers.append((await station.ask("StartTransaction", start))["transactionId"])
        await station.ask("StopTransaction", {"transactionId": numbers[-1], "meterStop": 1000, "timestamp": frozen})

    assert installation.stop() == [0]
    assert len(set(numbers)) == 2
    assert [one["energy_wh"] for one in sessions_of(installation)] == ["1000", "1000"]


def test_a_server_that_has_just_made_its_tables_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    """A first start was seen to sleep through SIGTERM; a supervisor would have killed it."""
    installation = Installation(tmp_path / "data")
    installation.settings.data_dir.mkdir()
    installation.start()
    try:
        installation.until_healthy()

        assert installation.stop() == [0]
    finally:
        installation.kill()
