"""The message log over a real socket: both ways, our own calls too, without what opens anything, found again, and gone."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.ocpp.logbook import FULL_MESSAGES, MOST_UNKNOWN
from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.old_traffic import forget_traffic
from tallywatt.adapters.storage.vault import Vault
from tallywatt.adapters.storage.views.traffic import traffic
from tallywatt.kernel.errors import BadInput
from tallywatt.stations.credentials import StationCredential
from tallywatt.stations.messages import NEW, OLD
from tallywatt.stations.station import StationState
from tests.adapters.ocpp.scene import OPERATOR, VAULT_KEY
from tests.adapters.ocpp.test_messages import asked, carried

if TYPE_CHECKING:
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY_MS = 86_400_000


async def logged(point: Point, most: int = 50, cursor: str | None = None, **filters: Any) -> dict[str, Any]:
    """A page of a station's log, after what is on its way was written down."""
    while not await asyncio.to_thread(point.scene.gateway.write_down, point.station_id):
        pass  # a disk that is busy with the tests beside this one
    connection = connect(point.scene.store.url, read_only=True)
    try:
        return traffic(
            connection,
            OPERATOR,
            Vault(VAULT_KEY),
            station_id=point.station_id,
            most=most,
            cursor=cursor,
            **filters,
        )
    finally:
        connection.close()


def heads(page: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Who said what, oldest first."""
    return [(one["direction"], one["kind"], one["action"]) for one in reversed(page["items"])]


async def test_every_message_is_logged_both_ways_and_an_answer_says_what_it_answers(scene: Scene) -> None:
    """Who looks for a fault reads the conversation, with what was refused and what changed nothing."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        await point.call("Heartbeat", {})
        await point.call("NoSuchThing", {})
        page = await logged(point)
    assert heads(page) == [
        ("in", "call", "BootNotification"),
        ("out", "result", "BootNotification"),
        ("in", "call", "Heartbeat"),
        ("out", "result", "Heartbeat"),
        ("in", "call", "NoSuchThing"),
        ("out", "error", "NoSuchThing"),
    ]
    assert json.loads(page["items"][-1]["text"])[3] == {"chargePointVendor": "V", "chargePointModel": "M"}
    assert page["next"] is None


async def test_our_own_calls_and_the_stations_answers_are_logged(scene: Scene) -> None:
    """Whether a station was asked at all, and what it said, is the first question after a failed command."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        carrying = asyncio.create_task(carried(point, asked(point, "ClearCache")))
        assert point.socket is not None
        _, message_id, _, _ = json.loads(await point.socket.recv())
        await point.socket.send(json.dumps([3, message_id, {"status": "Rejected"}]))
        await carrying
        page = await logged(point, action="ClearCache")
    assert heads(page) == [("out", "call", "ClearCache"), ("in", "result", "ClearCache")]
    assert "Rejected" in page["items"][0]["text"]


async def test_what_names_a_card_or_opens_something_is_not_in_the_log(scene: Scene) -> None:
    """Whoever reads along must not be able to charge, or to be the station."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        number = await point.start("10:00:00", 1000)
        said = json.dumps({"idTag": "CARD", "pin": "4711"})
        await point.call("DataTransfer", {"vendorId": "V", "data": said})
        await point.call("DataTransfer", {"vendorId": "V", "data": "card 4111 1111 1111 1111"})
        carrying = asyncio.create_task(
            carried(point, asked(point, "GetDiagnostics", {"location": "ftp://me:hush@logs.example/up"}))
        )
        assert point.socket is not None
        _, message_id, _, _ = json.loads(await point.socket.recv())
        told = {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": "KEYKEYKEY"}]}
        await point.socket.send(json.dumps([3, message_id, told]))
        await carrying
        await point.stop(number, "10:30:00", 3000, idTag="CARD")
        page = await logged(point)
        [begun] = [one for one in page["items"] if one["action"] == "StartTransaction" and one["kind"] == "call"]
    text = "\n".join(one["text"] for one in page["items"])
    assert not [word for word in ("CARD", "4711", "hush", "KEYKEYKEY", "4111") if word in text]
    assert json.loads(begun["text"])[3] == {
        "connectorId": 1, "idTag": "***", "meterStart": 1000, "timestamp": "2026-11-20T10:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_a_sessions_messages_are_found_with_the_start_that_did_not_know_its_number(
    scene: Scene, protocol: str
) -> None:
    """In 1.6 the number of a transaction is in our answer; the start belongs to it all the same. Others do not."""
    async with scene.newcomer(protocol, evses=2).online() as point:
        await point.boot()
        if protocol == OLD:
            number = await point.start("10:00:00", 1000)
            await point.start("10:01:00", 7000, token="SECOND", connector=2)
            await point.values(number, ("10:10:00", 1500))
            await point.stop(number, "10:30:00", 3000)
            wanted = ["StartTransaction", "MeterValues", "StopTransaction"]
            [session] = point.look("sessions", station_id=point.station_id, transaction_id=str(number))
        else:
            await point.event("Started", 0, "10:00:00", 1000, token="CARD")
            await point.event("Started", 0, "10:01:00", 7000, token="SECOND", transaction="T2", evse=2)
            await point.event("Updated", 1, "10:10:00", 1500)
            await point.event("Ended", 2, "10:30:00", 3000)
            wanted = ["TransactionEvent"] * 3
            [session] = point.look("sessions", station_id=point.station_id, transaction_id="T1")
        page = await logged(point, session=session.session_id)
        asks = await logged(point, session=session.session_id, direction="in")
    both = [(way, action) for action in wanted for way in ("in", "out")]
    assert [(way, action) for way, _, action in heads(page)] == both
    assert [action for _, _, action in heads(asks)] == wanted


async def test_a_long_log_is_read_page_by_page_and_narrowed_by_time_and_words(scene: Scene) -> None:
    """Chunks end where they end; a page does not show it, and nothing is skipped or told twice."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        for number in range(FULL_MESSAGES):
            await point.call("Heartbeat", {}, message_id=f"beat-{number}")
        seen: list[str] = []
        cursor = None
        while True:
            page = await logged(point, 30, cursor, action="Heartbeat", direction="in")
            seen += [one["message_id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == [f"beat-{number}" for number in reversed(range(FULL_MESSAGES))]
        assert [one["message_id"] for one in (await logged(point, text="BEAT-17", direction="in"))["items"]] == [
            "beat-17"
        ]
        assert (await logged(point, until=MachineClock().now() - DAY_MS))["items"] == []
        assert len((await logged(point, 200, since=MachineClock().now() - DAY_MS))["items"]) == 2 * FULL_MESSAGES + 2
        with pytest.raises(BadInput):
            await logged(point, cursor='["x"]')


async def test_who_is_not_adopted_cannot_fill_the_log(scene: Scene) -> None:
    """Anybody may knock, and go on knocking."""
    point = scene.newcomer(OLD)
    known = scene.neighbours.credentials.pop()
    waiting = StationCredential(
        OPERATOR, "op", known.station_id, known.identity, StationState.QUARANTINED, known.key_hash
    )
    scene.neighbours.credentials.append(waiting)
    async with point.online():
        for _ in range(MOST_UNKNOWN):
            await point.call("Heartbeat", {})
        page = await logged(point, 200)
    assert len(page["items"]) == MOST_UNKNOWN, "of twice as many"


async def test_what_is_no_message_is_logged_as_it_came(scene: Scene) -> None:
    """Broken frames are what one looks for in a log."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        assert point.socket is not None
        await point.socket.send('[2,"x","Heartbeat",{')
        assert json.loads(await point.socket.recv())[:2] == [4, "x"]
        await point.socket.send(b"\xff\x00 no text at all")
        await point.call("Heartbeat", {})
        broken = (await logged(point, kind="broken"))["items"]
        cut = [one for one in (await logged(point))["items"] if one["text"].endswith("{")]
    assert [one["text"] for one in broken] == ["\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} no text at all"]
    assert [one["action"] for one in cut] == ["Heartbeat"]


async def test_messages_are_gone_when_their_days_are_over(scene: Scene) -> None:
    """A log that grows for ever is one that nobody can afford to keep."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        assert (await logged(point))["items"]
        kept = scene.store.run_now("", forget_traffic, 30, actor="janitor")
        gone = scene.store.run_now("", forget_traffic, -1, actor="janitor")
        assert (kept, (await logged(point))["items"]) == (0, [])
    assert gone >= 1
