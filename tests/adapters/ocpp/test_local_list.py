"""Lists of tokens that stations know by heart, kept in step with stations that somebody else wrote, over a real socket."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v201
import pytest
from ocpp.routing import on

from tallywatt.stations.local_list import ListState
from tallywatt.stations.messages import NEW, OLD
from tallywatt.workflows import keep_local_list
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.block_token import BlockToken, block_token
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.keep_local_list import (
    SPREAD_LISTS,
    SYNC_LIST,
    SwitchLists,
    SyncList,
    spread_lists,
    switch_lists,
    sync_list,
    verify_list,
)
from tests.adapters.ocpp.scene import OPERATOR
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUSE = {"CARD", "SECOND", "FLEET-1"}
"""The cards of the scene."""


class Memory:
    """What both versions do with a list: as the standard says."""

    def __init__(self, batch: int, *, has_one: bool = True) -> None:
        self.batch = batch
        self.has_one = has_one
        self.number = 0
        self.cards: dict[str, str] = {}
        self.told: list[tuple[str, int]] = []
        self.refuses = ""

    def take(self, number: int, kind: str, entries: list[tuple[str, str | None]]) -> str:
        """An update; what is answered."""
        self.told.append((kind, len(entries)))
        if self.refuses:
            refusal, self.refuses = self.refuses, ""
            return refusal
        if len(entries) > self.batch:
            return "Failed"
        if kind == "Differential" and number <= self.number:
            return "VersionMismatch"
        if kind == "Full":
            self.cards = {}
        for card, status in entries:
            if status is None:
                self.cards.pop(card, None)
            else:
                self.cards[card] = status
        self.number = number
        return "Accepted"


class Station16(ocpp.v16.ChargePoint):
    """A station of OCPP 1.6 with a list."""

    memory: Memory

    @on("GetConfiguration")
    async def tell(self, **_: Any) -> Any:
        """What its list can hold."""
        values = {"LocalAuthListEnabled": "true", "SendLocalListMaxLength": str(self.memory.batch)}
        keys = [{"key": key, "readonly": True, "value": value} for key, value in values.items()]
        return ocpp.v16.call_result.GetConfiguration(configuration_key=keys if self.memory.has_one else [])

    @on("GetLocalListVersion")
    async def number(self) -> Any:
        """Which one it has."""
        return ocpp.v16.call_result.GetLocalListVersion(list_version=self.memory.number)

    @on("SendLocalList")
    async def take(self, list_version: int, update_type: str, local_authorization_list: Any = ()) -> Any:
        """An update."""
        entries = [(one["id_tag"], one.get("id_tag_info", {}).get("status")) for one in local_authorization_list]
        return ocpp.v16.call_result.SendLocalList(status=self.memory.take(list_version, update_type, entries))


class Station201(ocpp.v201.ChargePoint):
    """A station of OCPP 2.0.1 with a list."""

    memory: Memory

    @on("GetVariables")
    async def tell(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """What its list can hold."""
        values = {"Enabled": "true", "Available": "true", "ItemsPerMessage": str(self.memory.batch)}
        told = [
            {**one, "attribute_status": "Accepted", "attribute_value": values[one["variable"]["name"]]}
            if self.memory.has_one
            else {**one, "attribute_status": "UnknownComponent"}
            for one in get_variable_data
        ]
        return ocpp.v201.call_result.GetVariables(get_variable_result=told)

    @on("GetLocalListVersion")
    async def number(self) -> Any:
        """Which one it has."""
        return ocpp.v201.call_result.GetLocalListVersion(version_number=self.memory.number)

    @on("SendLocalList")
    async def take(self, version_number: int, update_type: str, local_authorization_list: Any = ()) -> Any:
        """An update."""
        entries = [
            (one["id_token"]["id_token"], one.get("id_token_info", {}).get("status"))
            for one in local_authorization_list
        ]
        return ocpp.v201.call_result.SendLocalList(status=self.memory.take(version_number, update_type, entries))


@asynccontextmanager
async def remembering(scene: Scene, protocol: str, memory: Memory) -> AsyncIterator[Point]:
    """A station that has booted and whose list is switched on."""
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        kind = Station16 if protocol == OLD else Station201
        station = kind(point.identity, point.socket)
        station.memory = memory
        listening = asyncio.create_task(station.start())
        scene.do(switch_lists, SwitchLists(point.id, is_on=True))
        try:
            yield point
        finally:
            scene.do(switch_lists, SwitchLists(point.id, is_on=False))
            listening.cancel()


async def in_step(point: Point) -> Any:
    """What the worker does, until nothing is left to say; how the list stands."""
    for _ in range(20):
        row = point.scene.do(sync_list, SyncList(point.id))
        waiting = [one for one in point.look("station_commands", station_id=point.station_id) if one.is_open]
        for one in waiting:
            await carried(point, one)
        [kept] = point.look("local_lists", station_id=point.station_id)
        if kept.state is ListState.FAILED:
            return kept
        if not waiting and row is not None and row.state is not ListState.WAITING:
            return row
    return row


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_a_list_is_sent_whole_in_batches_and_then_by_differences(scene: Scene, protocol: str) -> None:
    """Added, blocked and found again: the station hears what has changed, and no more than it can take at once."""
    memory = Memory(batch=2)
    async with remembering(scene, protocol, memory) as point:
        row = await in_step(point)
        assert set(memory.cards) >= HOUSE
        assert memory.told[0] == ("Full", 2)
        assert {kind for kind, _ in memory.told[1:]} == {"Differential"}
        assert max(size for _, size in memory.told) <= 2
        assert (row.state, row.number, row.entries) == (ListState.IN_STEP, memory.number, len(memory.cards))
        said = len(memory.told)
        token = scene.do(add_token, AddToken(f"NEW-{point.identity}", "driver"))
        assert [one for one in point.look("stored_jobs") if one.kind == SPREAD_LISTS]
        await in_step(point)
        assert memory.cards[token.uid] == "Accepted"
        scene.do(block_token, BlockToken(token.token_id))
        await in_step(point)
        assert memory.cards[token.uid] == "Blocked"
        assert memory.told[said:] == [("Differential", 1)] * 2
        scene.do(block_token, BlockToken(token.token_id, blocked=False))
        await in_step(point)
        assert memory.cards[token.uid] == "Accepted"


@pytest.mark.parametrize("protocol", [OLD, NEW])
@pytest.mark.parametrize("refusal", ["VersionMismatch", "Failed"])
async def test_a_refused_difference_is_followed_by_the_whole_list(scene: Scene, protocol: str, refusal: str) -> None:
    """Whatever the station has: a whole list replaces it."""
    memory = Memory(batch=50)
    async with remembering(scene, protocol, memory) as point:
        await in_step(point)
        memory.refuses = refusal
        token = scene.do(add_token, AddToken(f"{refusal}-{point.identity}"[:20], "driver"))
        row = await in_step(point)
        assert [kind for kind, _ in memory.told] == ["Full", "Differential", "Full"]
        assert (row.state, memory.cards[token.uid]) == (ListState.IN_STEP, "Accepted")


async def verified(point: Point) -> Any:
    """Asked which list it has, and brought in step again."""
    point.scene.do(verify_list, SyncList(point.id))
    return await in_step(point)


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_a_station_that_lost_its_list_gets_it_again(scene: Scene, protocol: str) -> None:
    """It names another version than ours after a boot, or in the night; one that names ours hears nothing."""
    memory = Memory(batch=50)
    async with remembering(scene, protocol, memory) as point:
        await in_step(point)
        row = await verified(point)
        assert memory.told == [("Full", len(memory.cards))]
        assert row.told_number == row.number == memory.number
        memory.number, memory.cards = 0, {}
        await verified(point)
        row = await verified(point)
        assert [kind for kind, _ in memory.told] == ["Full", "Full"]
        assert set(memory.cards) >= HOUSE
        assert (row.state, row.told_number) == (ListState.IN_STEP, row.number)


async def test_a_station_that_says_it_has_no_list_is_left_alone(scene: Scene) -> None:
    """OCPP 1.6 has a number for that: -1."""
    memory = Memory(batch=50)
    async with remembering(scene, OLD, memory) as point:
        await in_step(point)
        memory.number = -1
        point.scene.do(verify_list, SyncList(point.id))
        for one in [each for each in point.look("station_commands", station_id=point.station_id) if each.is_open]:
            await carried(point, one)
        [row] = point.look("local_lists", station_id=point.station_id)
        assert (row.state, row.told_number) == (ListState.UNSUPPORTED, -1)


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_an_erased_card_leaves_the_station_with_a_whole_list(scene: Scene, protocol: str) -> None:
    """Its number is not known any more, so no difference could name it; what is kept of a list names nobody."""
    memory = Memory(batch=50)
    async with remembering(scene, protocol, memory) as point:
        scene.do(add_customer, AddCustomer(f"gone-{point.identity}"))
        token = scene.do(add_token, AddToken(f"GONE-{point.identity}", f"gone-{point.identity}"))
        row = await in_step(point)
        assert token.uid in memory.cards
        assert token.uid not in str(row.sent)
        scene.do(erase_customer, EraseCustomer(f"gone-{point.identity}"))
        await in_step(point)
        assert token.uid not in memory.cards
        assert set(memory.cards) >= HOUSE


@pytest.mark.parametrize("protocol", [OLD, NEW])
async def test_a_station_without_a_list_is_asked_once_and_left_alone(scene: Scene, protocol: str) -> None:
    """It says that it knows of none."""
    memory = Memory(batch=2, has_one=False)
    async with remembering(scene, protocol, memory) as point:
        row = await in_step(point)
        assert (row.state, memory.told) == (ListState.UNSUPPORTED, [])


async def test_a_station_that_refuses_every_list_is_left_alone(scene: Scene) -> None:
    """It takes fewer entries than it says: trying for ever would fill its line."""
    memory = Memory(batch=50)
    async with remembering(scene, OLD, memory) as point:
        memory.batch = 0
        row = await in_step(point)
        assert row.state is ListState.FAILED
        assert len(memory.told) <= 5


async def test_lists_of_many_stations_are_looked_at_some_at_a_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that is blocked changes thousands of lists: everybody else has the writer in between."""
    monkeypatch.setattr(keep_local_list, "MOST_SPREAD", 2)
    points = [scene.newcomer(OLD) for _ in range(3)]
    for point in points:
        scene.do(switch_lists, SwitchLists(point.id, is_on=True))
    first, second, third = sorted(one.station_id for one in points)
    assert scene.do(spread_lists, f"{OPERATOR}/{first[:-1]}") == 2
    assert points[0].look("stored_jobs", kind=SPREAD_LISTS, subject_id=f"{OPERATOR}/{second}")
    assert scene.do(spread_lists, f"{OPERATOR}/{second}") == 1
    assert points[0].look("stored_jobs", kind=SYNC_LIST, subject_id=third)
    for point in points:
        scene.do(switch_lists, SwitchLists(point.id, is_on=False))


async def test_nothing_is_sent_where_nobody_has_switched_it_on(scene: Scene) -> None:
    """Cards are personal: they lie at stations only where an operator wants that."""
    async with scene.newcomer(OLD).online() as point:
        await point.boot()
        assert scene.do(sync_list, SyncList(point.id)) is None
        assert scene.do(spread_lists, "") == 0
        assert [one for one in point.look("station_commands", station_id=point.station_id) if one.name] == []
