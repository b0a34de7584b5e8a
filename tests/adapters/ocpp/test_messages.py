"""Messages by their names, over a real socket, to stations that somebody else wrote: asked, answered, followed to their end."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v16.call
import ocpp.v21
import ocpp.v21.call
import ocpp.v201
import ocpp.v201.call
import pytest
from ocpp.routing import on

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.ocpp.messages import check_message, schema_of
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.command import Action, CommandState
from tallywatt.stations.messages import MESSAGES, NEW, NEWEST, OLD, PROTOCOLS
from tallywatt.workflows.close_gap import hear_answer
from tallywatt.workflows.command_station import (
    CommandAnswered,
    CommandStation,
    NoteSent,
    WatchCommand,
    note_sent,
    watch_command,
)
from tallywatt.workflows.order_station import order_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tallywatt.stations.command import StationCommand
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
PACKAGES: dict[str, Any] = {OLD: ocpp.v16, NEW: ocpp.v201, NEWEST: ocpp.v21}
INTERVAL = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}


def asked(point: Point, name: str, content: dict[str, Any] | None = None, **more: Any) -> StationCommand:
    """Written down, as a person would ask."""
    wanted = CommandStation(point.id, Action.MESSAGE, {"name": name, "content": content or {}}, **more)
    row: StationCommand = point.scene.do(order_station, wanted)
    return row


async def carried(point: Point, command: StationCommand, seconds: float = 5) -> StationCommand:
    """What the worker does with a command: sent, and its answer taken in."""
    scene = point.scene
    scene.do(note_sent, NoteSent(command.command_id, is_sent=True))
    answer = await asyncio.to_thread(scene.gateway.call, point.station_id, command, seconds)
    row: StationCommand = scene.do(hear_answer, CommandAnswered(command.command_id, answer))
    return row


async def told(point: Point, name: str, content: dict[str, Any] | None = None) -> StationCommand:
    """Asked and carried."""
    return await carried(point, asked(point, name, content))


def now(point: Point, command: StationCommand) -> StationCommand:
    """Where a command stands."""
    [row] = point.look("station_commands", command_id=command.command_id)
    found: StationCommand = row
    return found


def known(point: Point) -> dict[str, str | None]:
    """What the house knows of a station's configuration."""
    rows = point.look("station_variables", station_id=point.station_id)
    return {f"{one.component}.{one.name}".lstrip("."): one.value for one in rows}


@asynccontextmanager
async def station(scene: Scene, protocol: str, answers: dict[str, Any]) -> AsyncIterator[tuple[Point, Any]]:
    """A station of the `ocpp` package that gives these answers; `asked` is what came."""
    package = PACKAGES[protocol]

    def handler(name: str, given: Any) -> Any:
        def answer(self: Any, **payload: Any) -> Any:
            self.asked.append((name, payload))
            return getattr(package.call_result, name)(**given)

        answer.__name__ = f"on_{name}"  # by its name the package finds it
        return on(name)(answer)

    body = {f"on_{name}": handler(name, given) for name, given in answers.items()}
    kind = type("Station", (package.ChargePoint,), body)
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        one = kind(point.identity, point.socket)
        one.asked = []
        task = asyncio.create_task(one.start())
        yield point, one
        task.cancel()


async def test_a_station_of_1_6_tells_and_changes_its_configuration(scene: Scene) -> None:
    """GetConfiguration and ChangeConfiguration; what is known follows both, and no key is kept."""
    keys = [
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "900"},
        {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
        {"key": "AuthorizationKey", "readonly": False, "value": "its secret"},
    ]
    answers = {
        "GetConfiguration": {"configuration_key": keys, "unknown_key": []},
        "ChangeConfiguration": {"status": "RebootRequired"},
    }
    async with station(scene, OLD, answers) as (point, _):
        read = await told(point, "GetConfiguration")
        assert (read.state, known(point)["MeterValueSampleInterval"]) == (CommandState.COMPLETED, "900")
        assert "its secret" not in str(read.answer), "keys are hidden wherever they are kept"
        assert known(point)["AuthorizationKey"] == "***"
        change = await told(point, "ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "60"})
        assert (change.state, change.reason) == (CommandState.COMPLETED, "RebootRequired")
        assert known(point)["MeterValueSampleInterval"] == "60"


@pytest.mark.parametrize("protocol", [NEW, NEWEST])
async def test_a_station_of_2_x_tells_and_changes_its_variables(scene: Scene, protocol: str) -> None:
    """GetVariables and SetVariables judge each place apart: one that is refused refuses the change."""
    good = {**INTERVAL, "attribute_status": "Accepted"}
    answers = {
        "GetVariables": {"get_variable_result": [{**good, "attribute_value": "900"}]},
        "SetVariables": {
            "set_variable_result": [
                good,
                {"component": {"name": "X"}, "variable": {"name": "Y"}, "attribute_status": "UnknownVariable"},
            ]
        },
    }
    async with station(scene, protocol, answers) as (point, _):
        read = await told(point, "GetVariables", {"getVariableData": [INTERVAL]})
        assert (read.state, known(point)) == (CommandState.COMPLETED, {"SampledDataCtrlr.TxUpdatedInterval": "900"})
        other = {"component": {"name": "X"}, "variable": {"name": "Y"}, "attributeValue": "1"}
        change = await told(point, "SetVariables", {"setVariableData": [{**INTERVAL, "attributeValue": "60"}, other]})
        assert (change.state, change.reason) == (CommandState.REJECTED, "1 of 2 refused: UnknownVariable")
        assert known(point) == {"SampledDataCtrlr.TxUpdatedInterval": "60"}, "what was taken is known all the same"


def a_part(request: int, number: int, name: str, *, more: bool) -> dict[str, Any]:
    """A part of a report, as the package writes it."""
    data = {
        "component": {"name": "C"},
        "variable": {"name": name},
        "variable_attribute": [{"value": str(number), "mutability": "ReadOnly"}],
    }
    return {
        "request_id": request, "generated_at": "2026-11-20T08:00:00Z", "seq_no": number, "tbc": more, "report_data": [data],
    }  # fmt: skip


@pytest.mark.parametrize("protocol", [NEW, NEWEST])
async def test_a_report_is_whole_when_its_last_part_and_all_before_are_there(scene: Scene, protocol: str) -> None:
    """Parts come out of order and twice; the house draws the number by which they are known."""
    call = PACKAGES[protocol].call
    async with station(scene, protocol, {"GetBaseReport": {"status": "Accepted"}}) as (point, one):
        command = await told(point, "GetBaseReport", {"reportBase": "FullInventory"})
        [(_, came)] = one.asked
        assert (command.state, came["request_id"]) == (CommandState.ACCEPTED, command.request_number)
        request = came["request_id"]
        await one.call(call.NotifyReport(**a_part(request, 2, "Third", more=False)))
        await one.call(call.NotifyReport(**a_part(request, 0, "First", more=True)))
        await one.call(call.NotifyReport(**a_part(request, 0, "First", more=True)))
        assert now(point, command).state is CommandState.ACCEPTED, "the second part is missing"
        await one.call(call.NotifyReport(**a_part(request, 1, "Second", more=True)))
        assert now(point, command).state is CommandState.COMPLETED
        assert known(point) == {"C.First": "0", "C.Second": "1", "C.Third": "2"}
        assert len(point.look("station_reports", command_id=command.command_id)) == 3


async def test_an_update_is_followed_until_it_is_installed_or_has_failed(scene: Scene) -> None:
    """In 1.6 the steps carry no number: they belong to the newest update that goes on."""
    call = ocpp.v16.call
    async with station(scene, OLD, {"UpdateFirmware": {}}) as (point, one):
        content = {"location": "ftp://files.example.org/fw", "retrieveDate": "2026-11-20T08:00:00Z"}
        command = await told(point, "UpdateFirmware", content)
        assert command.state is CommandState.ACCEPTED, "an empty answer is a yes"
        for step, state in (
            ("Downloading", CommandState.ACCEPTED),
            ("Downloaded", CommandState.ACCEPTED),
            ("Installed", CommandState.COMPLETED),
        ):
            await one.call(call.FirmwareStatusNotification(status=step))
            assert (now(point, command).state, now(point, command).reason) == (state, step)


async def test_what_a_station_tells_about_its_safety_is_kept_once(scene: Scene) -> None:
    """A station resends after a lost answer."""
    event = {"type": "TamperDetectionActivated", "timestamp": "2026-11-20T08:00:00Z", "techInfo": "lid"}
    async with scene.newcomer(NEW).online() as point:
        for _ in range(2):
            await point.say("SecurityEventNotification", event)
        [kept] = point.look("security_events", station_id=point.station_id)
        assert (kept.kind, kept.detail) == ("TamperDetectionActivated", "lid")


async def test_an_answer_that_comes_late_is_taken_and_a_second_one_is_not(scene: Scene) -> None:
    """The station has done it, whoever still waits."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        socket = point.socket
        assert socket is not None
        command = await carried(point, asked(point, "ClearCache"), seconds=0.1)
        assert (command.state, command.answered_at) == (CommandState.SENT, None), "nobody knows what it will do"
        _, message_id, _, _ = json.loads(await socket.recv())
        await socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
        await socket.send(json.dumps([3, message_id, {"status": "Rejected"}]))
        await point.say("Heartbeat", {})
        await point.say("Authorize", {"idTag": "CARD"})  # through the writer, behind what was told before
        after = now(point, command)
        assert (after.state, after.answer) == (CommandState.COMPLETED, {"status": "Accepted"})


async def test_a_socket_that_is_lost_leaves_the_outcome_open_until_the_deadline(scene: Scene) -> None:
    """Sent and never answered: it is not sent again, and the deadline says that nothing came of it."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        command = asked(point, "ClearCache", deadline_seconds=1)
        carrying = asyncio.create_task(carried(point, command))
        assert point.socket is not None
        await point.socket.recv()
        await point.socket.close()
        after = await carrying
        assert after.state is CommandState.SENT
    await asyncio.sleep(max(0, (command.deadline_at - MachineClock().now()) / 1000) + 0.01)
    assert scene.do(watch_command, WatchCommand(command.command_id)).state is CommandState.EXPIRED


async def test_of_two_commands_at_once_the_second_waits_for_the_answer_to_the_first(scene: Scene) -> None:
    """OCPP allows one CALL under way in each direction."""
    async with scene.newcomer(NEW).online() as point:
        await point.boot()
        socket = point.socket
        assert socket is not None
        both = [
            asyncio.create_task(carried(point, asked(point, name))) for name in ("ClearCache", "GetLocalListVersion")
        ]
        first = json.loads(await socket.recv())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)
        answers = {"ClearCache": {"status": "Accepted"}, "GetLocalListVersion": {"versionNumber": 0}}
        await socket.send(json.dumps([3, first[1], answers[first[2]]]))
        second = json.loads(await socket.recv())
        assert {first[2], second[2]} == set(answers)
        await socket.send(json.dumps([3, second[1], answers[second[2]]]))
        assert {(await one).state for one in both} == {CommandState.COMPLETED}


@pytest.mark.parametrize(
    ("protocol", "name", "content", "code"),
    [
        (OLD, "GetVariables", {}, "stations.not_in_version"),
        (NEW, "ChangeConfiguration", {}, "stations.not_in_version"),
        (NEW, "SetDefaultTariff", {}, "stations.not_in_version"),
        (OLD, "BootNotification", {}, "stations.no_such_message"),
        (OLD, "RemoteStartTransaction", {"idTag": "X"}, "stations.use_action"),
        (OLD, "ReserveNow", {"connectorId": 1}, "stations.bad_content"),
        (None, "ReserveNow", {"connectorId": 1}, "stations.bad_content"),
        (NEW, "ClearCache", {"more": 1}, "stations.bad_content"),
    ],
)
async def test_what_a_version_cannot_say_is_refused_with_what_to_do(
    protocol: str | None, name: str, content: dict[str, Any], code: str
) -> None:
    """Before anything is written down."""
    with pytest.raises(BadInput) as refused:
        check_message(protocol, name, content)
    assert (refused.value.code, bool(refused.value.remedy)) == (code, True)


async def test_a_key_is_never_written_by_a_message(scene: Scene) -> None:
    """Commands are kept and shown; a key in one would be both."""
    point = scene.newcomer(OLD)
    with pytest.raises(BadInput, match="in clear words"):
        asked(point, "ChangeConfiguration", {"key": "AuthorizationKey", "value": "0123456789abcdef"})


async def test_the_table_names_what_the_specification_has() -> None:
    """Every message of ours has its schema in each version that it is listed under, and in no other."""
    for protocol in PROTOCOLS:
        for name, message in MESSAGES.items():
            has = True
            try:
                schema = schema_of(protocol, name)
            except FileNotFoundError:
                has = False
            assert has == (protocol in message.protocols), (protocol, name)
            if has:
                numbered = "requestId" in schema["required"] if "required" in schema else False
                assert numbered == (protocol in message.numbered), (protocol, name)
