"""Commands of ours, followed to the station's answer or to its silence."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call_result as result201

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import CommandId, StationId
from tallywatt.stations.command import Action, CommandState, StationCommand
from tallywatt.workflows.ports import LinkAnswer, StationLink
from tests.adapters.ocpp.house import a_credential

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ocpp.conftest import House


def a_command(action: Action, remote_start_id: int | None = None, **payload: Any) -> StationCommand:
    return StationCommand(
        CommandId("c"),
        StationId("id-of-CP1"),
        action,
        payload,
        CommandState.REQUESTED,
        None,
        None,
        None,
        remote_start_id,
        Instant(0),
        Instant(60_000),
        None,
        None,
        "person:1",
    )


class Old(ChargePoint16):
    """A station of 1.6 that writes down what it was asked, and answers as it was told to."""

    status = "Accepted"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[dict[str, Any]] = []

    @on("RemoteStartTransaction")
    def start_it(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result16.RemoteStartTransaction(status=self.status)

    @on("RemoteStopTransaction")
    def stop_it(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result16.RemoteStopTransaction(status=self.status)

    @on("Reset")
    def reset(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result16.Reset(status=self.status)

    @on("UnlockConnector")
    def unlock(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result16.UnlockConnector(status="Unlocked")

    @on("ChangeAvailability")
    def change(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result16.ChangeAvailability(status="Scheduled")


class New(ChargePoint201):
    """The same in 2.0.1."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[dict[str, Any]] = []

    @on("RequestStartTransaction")
    def start_it(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result201.RequestStartTransaction(status="Accepted")

    @on("RequestStopTransaction")
    def stop_it(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result201.RequestStopTransaction(status="Rejected")

    @on("Reset")
    def reset(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result201.Reset(status="Accepted")

    @on("UnlockConnector")
    def unlock(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result201.UnlockConnector(status="UnlockFailed")

    @on("ChangeAvailability")
    def change(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return result201.ChangeAvailability(status="Accepted")


@asynccontextmanager
async def station(house: House, kind: type[Any], protocol: str) -> AsyncIterator[Any]:
    async with house.station(protocol=protocol) as socket:
        point = kind("CP1", socket)
        task = asyncio.create_task(point.start())
        try:
            yield point
        finally:
            task.cancel()


async def ask(house: House, command: StationCommand, seconds: float = 5.0, station_id: str = "id-of-CP1") -> LinkAnswer:
    """As a worker does it: from a thread that may block."""
    link: StationLink = house.gateway
    return await asyncio.to_thread(link.call, station_id, command, seconds)


@pytest.mark.parametrize(
    ("command", "asked", "answer"),
    [
        (a_command(Action.START, tag="T1", connector=2), {"id_tag": "T1", "connector_id": 2}, ("accepted", "Accepted")),
        (a_command(Action.START, tag="T1"), {"id_tag": "T1"}, ("accepted", "Accepted")),
        (a_command(Action.STOP, transaction_id="17"), {"transaction_id": 17}, ("accepted", "Accepted")),
        (a_command(Action.RESET, type="hard"), {"type": "Hard"}, ("accepted", "Accepted")),
        (a_command(Action.RESET), {"type": "Soft"}, ("accepted", "Accepted")),
        (a_command(Action.UNLOCK, evse_number=2), {"connector_id": 2}, ("accepted", "Unlocked")),
        (
            a_command(Action.AVAILABILITY, operative=False),
            {"connector_id": 0, "type": "Inoperative"},
            ("accepted", "Scheduled"),
        ),
    ],
    ids=lambda one: str(getattr(one, "action", "")),
)
async def test_a_command_is_said_in_1_6(
    house: House, command: StationCommand, asked: dict[str, Any], answer: tuple[str, str]
) -> None:
    """The client's own schemas check what we say."""
    async with station(house, Old, "ocpp1.6") as point:
        assert await ask(house, command) == LinkAnswer(*answer)
    assert point.asked == [asked]


@pytest.mark.parametrize(
    ("command", "asked", "answer"),
    [
        (
            a_command(Action.START, 7, tag="T1", connector=2),
            {"id_token": {"id_token": "T1", "type": "Central"}, "remote_start_id": 7, "evse_id": 2},
            ("accepted", "Accepted"),
        ),
        (a_command(Action.STOP, transaction_id="tx-17"), {"transaction_id": "tx-17"}, ("rejected", "Rejected")),
        (a_command(Action.RESET, type="hard"), {"type": "Immediate"}, ("accepted", "Accepted")),
        (
            a_command(Action.UNLOCK, evse_number=2, connector=3),
            {"evse_id": 2, "connector_id": 3},
            ("rejected", "UnlockFailed"),
        ),
        (
            a_command(Action.AVAILABILITY, operative=True, connector=1),
            {"operational_status": "Operative", "evse": {"id": 1}},
            ("accepted", "Accepted"),
        ),
    ],
    ids=lambda one: str(getattr(one, "action", "")),
)
async def test_a_command_is_said_in_2_0_1(
    house: House, command: StationCommand, asked: dict[str, Any], answer: tuple[str, str]
) -> None:
    """The same commands in the newer words."""
    async with station(house, New, "ocpp2.0.1") as point:
        assert await ask(house, command) == LinkAnswer(*answer)
    assert point.asked == [asked]


async def test_a_station_may_say_no(house: House) -> None:
    """Accepted is not started, and rejected is not an error."""
    async with station(house, Old, "ocpp1.6") as point:
        point.status = "Rejected"
        assert await ask(house, a_command(Action.START, tag="T")) == LinkAnswer("rejected", "Rejected")


@pytest.mark.parametrize(
    ("protocol", "command"),
    [
        ("ocpp1.6", a_command(Action.STOP, transaction_id="not a number")),
        ("ocpp1.6", a_command(Action.START)),
        ("ocpp2.0.1", a_command(Action.START, tag="T")),
    ],
    ids=["number", "tag", "remote start id"],
)
async def test_what_a_version_has_no_words_for_is_rejected_by_us(
    house: House, protocol: str, command: StationCommand
) -> None:
    """Nothing is sent that the station could take for something else."""
    async with house.station(protocol=protocol):
        assert (await ask(house, command)).outcome == "rejected"


async def test_nobody_is_asked_who_is_not_there(house: House) -> None:
    """At once, not after the timeout; a station in quarantine takes no commands."""
    assert await ask(house, a_command(Action.RESET)) == LinkAnswer("not_connected")
    house.told.knocked_as = a_credential("NEW")
    async with house.station("NEW") as socket:
        await socket.send(json.dumps([2, "1", "Heartbeat", {}]))
        await socket.recv()
        assert await ask(house, a_command(Action.RESET), station_id="id-of-NEW") == LinkAnswer("not_connected")


async def test_commands_to_one_station_go_one_after_the_other(house: House) -> None:
    """OCPP-J allows one call in the air in each direction; answers are matched by id."""
    async with house.station() as socket:
        first = asyncio.create_task(ask(house, a_command(Action.RESET)))
        one = json.loads(await socket.recv())
        second = asyncio.create_task(ask(house, a_command(Action.UNLOCK)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.1)
        await socket.send(json.dumps([3, one[1], {"status": "Accepted"}]))
        other = json.loads(await socket.recv())
        assert other[1] != one[1]
        await socket.send(json.dumps([4, other[1], "NotSupported", "", {}]))
        assert await first == LinkAnswer("accepted", "Accepted")
        assert await second == LinkAnswer("rejected", "NotSupported")


async def test_a_late_answer_is_not_taken_for_the_next_ones(house: House) -> None:
    """The off-by-one that left a wallbox at 16 A (bmw-wallbox-ha PR 17)."""
    async with house.station() as socket:
        first = asyncio.create_task(ask(house, a_command(Action.RESET), 0.1))
        one = json.loads(await socket.recv())
        assert await first == LinkAnswer("no_answer")
        second = asyncio.create_task(ask(house, a_command(Action.UNLOCK)))
        other = json.loads(await socket.recv())
        await socket.send(json.dumps([3, one[1], {"status": "Accepted"}]))
        await socket.send(json.dumps([3, other[1], {"status": "UnlockFailed"}]))
        assert await second == LinkAnswer("rejected", "UnlockFailed")


async def test_a_command_that_waits_has_no_more_time_than_it_was_given(house: House) -> None:
    """Its deadline runs while another one is in the air."""
    async with house.station():
        first = asyncio.create_task(ask(house, a_command(Action.RESET), 0.5))
        await asyncio.sleep(0.05)
        assert await ask(house, a_command(Action.UNLOCK), 0.1) == LinkAnswer("no_answer")
        assert await first == LinkAnswer("no_answer")


@pytest.mark.parametrize("answer", ["{}", '{"status":5}', "[]", "null", '"Accepted"', "{"])
async def test_an_answer_that_cannot_be_read_leaves_open_what_happened(house: House, answer: str) -> None:
    """The station may have done it: this is not a rejection."""
    async with house.station() as socket:
        asking = asyncio.create_task(ask(house, a_command(Action.RESET)))
        asked = json.loads(await socket.recv())
        await socket.send(f'[3,"{asked[1]}",{answer}]')
        assert (await asking).outcome == "no_answer"


async def test_a_lost_socket_tells_what_was_sent_from_what_was_not(house: House) -> None:
    """The first may have happened, the second cannot."""
    async with house.station() as socket:
        first = asyncio.create_task(ask(house, a_command(Action.RESET)))
        await socket.recv()
        second = asyncio.create_task(ask(house, a_command(Action.UNLOCK)))
        await asyncio.sleep(0.05)
    assert await first == LinkAnswer("no_answer")
    assert await second == LinkAnswer("not_connected")


async def test_a_gateway_that_is_not_running_has_nobody_connected(house: House) -> None:
    """A worker may be faster than the gateway, or outlive it."""
    idle = house.another_gateway()
    assert idle.call("id-of-CP1", a_command(Action.RESET), 1) == LinkAnswer("not_connected")
    assert idle.connected() == frozenset()
    await idle.stop()
