"""Ends that nobody told, in every version, over a real socket, the clock moved: presumed, held, put right by a late stop."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.kernel.clock import Instant
from tallywatt.metering.measure import Flag
from tallywatt.metering.session import SessionState
from tallywatt.stations.command import CommandState
from tallywatt.stations.messages import NEW, OLD
from tallywatt.stations.station import StationState
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tallywatt.workflows.sweep_quiet import SweepQuiet, sweep_quiet
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]
DAY = 24 * 3600
LONG_AGO = 3 * DAY * 1000


def days_pass(point: Point) -> None:
    """As if all that this station has told had been told three days ago."""

    def earlier(work: Any, session_id: str) -> None:
        session = work.sessions.lock(session_id)
        work.sessions.put(replace(session, received_at=Instant(session.received_at - LONG_AGO)))
        for one in work.station_commands.by(station_id=point.station_id):
            held = work.station_commands.lock(one.command_id)
            work.station_commands.put(replace(held, requested_at=Instant(held.requested_at - LONG_AGO)))
        table = "UPDATE meter_readings SET received_at = received_at - ? WHERE session_id = ?"
        work.connection.change(table, (LONG_AGO, session.session_id))
        work.scope.memory.forget()

    point.scene.do(earlier, point.session.session_id)


def swept(point: Point) -> int:
    """What the janitor does."""
    count: int = point.scene.do(sweep_quiet, SweepQuiet(DAY))
    return count


def questions(point: Point) -> list[Any]:
    """What the station was asked about its session, oldest first."""
    return [
        one
        for one in point.look("station_commands", station_id=point.station_id)
        if one.session_id == point.session.session_id
    ]


def nobody_answers(point: Point) -> None:
    """The deadline of the question has passed, and the station was not there."""

    def ended(work: Any, _: None) -> None:
        for one in work.station_commands.by(station_id=point.station_id):
            held = work.station_commands.lock(one.command_id)
            if held.is_open:
                work.station_commands.put(
                    replace(held, state=CommandState.EXPIRED, ended_at=work.machine_now, reason="nothing came of it")
                )

    point.scene.do(ended, None)


async def begun(point: Point) -> int | None:
    """A session that has taken 4 kWh so far."""
    await point.boot()
    if point.protocol == OLD:
        number = await point.start("08:00:00", 1000)
        await point.values(number, ("08:30:00", 5000), measurand="Energy.Active.Import.Register")
        return number
    await point.event("Started", 0, "08:00:00", 1000, token="CARD")
    await point.event("Updated", 1, "08:30:00", 5000)
    return None


async def stopped(point: Point, number: int | None) -> None:
    """Its stop, days late."""
    if number is not None:
        await point.stop(number, "09:00:00", 9000)
    else:
        await point.event("Ended", 2, "09:00:00", 9000)


@pytest.mark.parametrize("protocol", ALL)
async def test_a_station_that_never_comes_back_does_not_leave_a_session_running_for_ever(
    scene: Scene, protocol: str
) -> None:
    """Silence alone ends nothing: only when nobody answers its end is presumed. Three days later it comes back."""
    async with scene.newcomer(protocol).online() as point:
        number = await begun(point)
        assert (swept(point), questions(point)) == (0, []), "it has said something a moment ago"
    days_pass(point)
    assert swept(point) == 0
    assert len(questions(point)) == 1
    assert (swept(point), len(questions(point))) == (0, 1), "one question at a time"
    nobody_answers(point)
    assert swept(point) == 1
    assert (point.session.state, point.wh) == (SessionState.HELD, 4000)
    assert point.session.transaction_ended_at is None
    assert list(point.inbox()) == ["lost_stop"]
    async with point.online():
        await stopped(point, number)
        assert (point.session.state, point.wh) == (SessionState.BILLED, 8000)
        assert point.inbox() == {}


async def test_a_station_of_2_that_holds_nothing_of_its_transaction_says_so(scene: Scene) -> None:
    """It was offline at the end and will never tell it; the platform asks, and hears that nothing more will come."""
    async with scene.newcomer(NEW).online() as point:
        await begun(point)
        days_pass(point)
        swept(point)
        [asked] = questions(point)
        carrying = asyncio.create_task(carried(point, asked))
        assert point.socket is not None
        _, message_id, action, content = json.loads(await point.socket.recv())
        assert (action, content) == ("GetTransactionStatus", {"transactionId": "T1"})
        await point.socket.send(json.dumps([3, message_id, {"ongoingIndicator": False, "messagesInQueue": False}]))
        await carrying
        assert (point.session.state, point.wh) == (SessionState.HELD, 4000)


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_a_quiet_session_of_a_station_that_answers_goes_on(scene: Scene, protocol: str) -> None:
    """A fleet's vehicle stands for a week, full: nothing is metered, and the session is real."""
    async with scene.newcomer(protocol).online() as point:
        await begun(point)
        days_pass(point)
        swept(point)
        [asked] = questions(point)
        carrying = asyncio.create_task(carried(point, asked))
        assert point.socket is not None
        _, message_id, action, content = json.loads(await point.socket.recv())
        told = {"status": "Accepted"} if protocol == OLD else {"ongoingIndicator": True, "messagesInQueue": False}
        await point.socket.send(json.dumps([3, message_id, told]))
        await carrying
        assert swept(point) == 0
        assert point.session.state is SessionState.ACTIVE
        if protocol == OLD:
            assert (action, content) == ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})


@pytest.mark.parametrize("protocol", ALL)
async def test_a_connector_that_was_free_for_a_moment_is_no_lost_stop(scene: Scene, protocol: str) -> None:
    """It restarts, says Available, and goes on with the same transaction: what it meters after that proves it."""
    async with scene.newcomer(protocol).online() as point:
        number = await begun(point)
        await point.status("Available", "08:35:00")
        if number is not None:
            await point.values(number, ("08:40:00", 6000), measurand="Energy.Active.Import.Register")
        else:
            await point.event("Updated", 2, "08:40:00", 6000)
        scene.do(lose_stop, LoseStop(point.session.session_id))
        assert (point.session.state, Flag.LOST_STOP in point.session.flags) == (SessionState.ACTIVE, False)


@pytest.mark.parametrize("protocol", ALL)
async def test_values_that_were_queued_do_not_prove_that_a_transaction_goes_on(scene: Scene, protocol: str) -> None:
    """Boot and Available come before what was metered while the station was offline, and its stop may be lost all the same."""
    async with scene.newcomer(protocol).online() as point:
        number = await begun(point)
        await point.status("Available", "09:00:00")
        if number is not None:
            await point.values(number, ("08:40:00", 6000), measurand="Energy.Active.Import.Register")
        else:
            await point.event("Updated", 2, "08:40:00", 6000)
        scene.do(lose_stop, LoseStop(point.session.session_id))
        assert (point.session.state, point.wh) == (SessionState.HELD, 5000)


async def test_a_retired_station_is_not_asked(scene: Scene) -> None:
    """It is gone for good: nobody would answer."""
    async with scene.newcomer(OLD).online() as point:
        await begun(point)
    days_pass(point)

    def retired(work: Any, _: None) -> None:
        station = work.stations.lock(point.station_id)
        work.stations.put(replace(station, state=StationState.RETIRED))

    scene.do(retired, None)
    assert (swept(point), questions(point)) == (1, [])
