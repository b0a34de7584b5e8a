"""Stations of OCPP 2.1 that somebody else wrote are told over a real socket what to count by."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import ocpp.v21
import pytest
from ocpp.exceptions import NotImplementedError as NoSuchMessage
from ocpp.routing import on

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.rating.records import Scope
from tallywatt.stations.display import Shows
from tallywatt.stations.messages import NEW, NEWEST
from tallywatt.stations.told_tariff import TariffState
from tallywatt.workflows import keep_tariff
from tallywatt.workflows.check_station import CheckStation, check_station
from tallywatt.workflows.command_station import NoteSent, WatchCommand, note_sent, watch_command
from tallywatt.workflows.keep_tariff import (
    KEEP_SESSION_TARIFF,
    VERIFY_TARIFFS,
    KeepSessionTariff,
    KeepTariffs,
    ask_tariffs,
    clear_tariffs,
    keep_session_tariff,
    keep_tariffs,
    spread_tariffs,
    verify_tariffs,
)
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.show_price import KEEP_TARIFFS, SPREAD_TARIFFS, SetDisplay, set_display
from tests.adapters.ocpp.scene import OPERATOR
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Counting(ocpp.v21.ChargePoint):
    """A station that counts for itself, as the specification says."""

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        self.defaults: dict[int, dict[str, Any]] = {}
        self.changed: list[tuple[str, dict[str, Any]]] = []
        self.cleared: list[str] = []
        self.says = "Accepted"
        self.variables: dict[str, str] = {}

    @on("SetDefaultTariff")
    async def keep(self, evse_id: int, tariff: dict[str, Any]) -> Any:
        """What holds for everybody."""
        if self.says == "Accepted":
            self.defaults[evse_id] = tariff
        return ocpp.v21.call_result.SetDefaultTariff(status=self.says)

    @on("ChangeTransactionTariff")
    async def change(self, transaction_id: str, tariff: dict[str, Any]) -> Any:
        """What holds for one transaction."""
        self.changed.append((transaction_id, tariff))
        return ocpp.v21.call_result.ChangeTransactionTariff(status=self.says)

    @on("ClearTariffs")
    async def clear(self, tariff_ids: list[str], evse_id: int) -> Any:
        """It holds no more."""
        self.cleared += tariff_ids
        if self.says == "Accepted":
            self.defaults.pop(evse_id, None)
        done = [{"tariff_id": one, "status": self.says} for one in tariff_ids]
        return ocpp.v21.call_result.ClearTariffs(clear_tariffs_result=done)

    @on("GetTariffs")
    async def tell(self, evse_id: int) -> Any:
        """What it has."""
        assert evse_id == 0, "of all EVSEs"
        if not self.defaults:
            return ocpp.v21.call_result.GetTariffs(status="NoTariff")
        told = [
            {"tariff_id": one["tariff_id"], "tariff_kind": "DefaultTariff", "evse_ids": [evse]}
            for evse, one in self.defaults.items()
        ]
        return ocpp.v21.call_result.GetTariffs(status="Accepted", tariff_assignments=told)

    @on("GetVariables")
    async def configured(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        """What it can do with tariffs; it knows nothing else of itself."""
        told = [
            {**one, "attribute_status": "Accepted", "attribute_value": self.variables[one["variable"]["name"]]}
            if one["component"]["name"] == "TariffCostCtrlr" and one["variable"]["name"] in self.variables
            else {**one, "attribute_status": "UnknownComponent"}
            for one in get_variable_data
        ]
        return ocpp.v21.call_result.GetVariables(get_variable_result=told)


@asynccontextmanager
async def counting(scene: Scene, evses: int = 1, **variables: str) -> AsyncIterator[tuple[Point, Counting]]:
    """A new station that counts, on its socket."""
    async with scene.newcomer(NEWEST, evses).online() as point:
        await point.boot()
        one = Counting(point.identity, point.socket)
        one.variables = variables
        yield point, one


async def work_off(point: Point, station: Counting) -> None:
    """All that is to be sent goes out, and what is answered is taken in."""
    task = asyncio.create_task(station.start())
    while waiting := [one for one in point.commands() if one.is_open and one.sent_at is None]:
        for one in waiting:
            await carried(point, one)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def kept(point: Point, station: Counting) -> list[Any]:
    """One round of the worker; how it stands with each EVSE then."""
    point.scene.do(keep_tariffs, KeepTariffs(point.id))
    await work_off(point, station)
    return defaults(point)


def defaults(point: Point) -> list[Any]:
    """How it stands with each EVSE."""
    rows = point.look("told_tariffs", station_id=point.station_id, session_id=None)
    return sorted(rows, key=lambda one: one.evse_number)


def assigned(point: Point, *components: dict[str, Any], scope: Scope = Scope.STATION, **more: Any) -> str:
    """Another tariff holds there."""
    audience = more.pop("audience", "everyone")
    elements = more.pop("elements", [{"price_components": list(components)}])
    data = {"id": f"of-{point.identity}", "currency": "EUR", "tax_included": "YES", "elements": elements, **more}
    version: str = point.scene.do(put_tariff, PutTariff(data)).version.tariff_version_id
    target = point.identity if scope is Scope.STATION else ""
    point.scene.do(assign_tariff, AssignTariff(version, scope, target, valid_from=Instant(0), audience=audience))
    return version


def energy(price: str, step: int = 1) -> dict[str, Any]:
    """So much a kilowatt-hour, with tax."""
    return {"type": "ENERGY", "price": price, "vat": 19, "step_size": step}


async def test_each_evse_is_told_what_holds_there_and_the_same_is_not_told_twice(scene: Scene) -> None:
    """What a station counts by is what bills; a new price goes out, the old one no more."""
    async with counting(scene, evses=2) as (point, station):
        rows = await kept(point, station)
        assert [(one.evse_number, one.state) for one in rows] == [(1, TariffState.HELD), (2, TariffState.HELD)]
        assert [one["energy"]["prices"] for one in station.defaults.values()] == [[{"price_kwh": 0.4201680672}]] * 2
        assert station.defaults[1]["energy"]["tax_rates"] == [{"type": "VAT", "tax": 19}]
        assert station.defaults[1]["description"] == [{"format": "UTF8", "content": "€0.50 per kWh"}]
        assert station.defaults[1]["tariff_id"] != station.defaults[2]["tariff_id"], "no name is taken twice"
        before = len(point.commands())
        await kept(point, station)
        assert len(point.commands()) == before
        version = assigned(point, energy("1.19"))
        assert [one.subject_id for one in point.look("stored_jobs", kind=KEEP_TARIFFS, subject_id=point.station_id)]
        rows = await kept(point, station)
        assert [one["energy"]["prices"] for one in station.defaults.values()] == [[{"price_kwh": 1}]] * 2
        assert {one.tariff_version_id for one in rows} == {version}


async def test_what_cannot_be_said_is_cleared_and_a_person_is_told_which_part(scene: Scene) -> None:
    """Half a tariff would be a wrong price on the display."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        [named] = [one["tariff_id"] for one in station.defaults.values()]
        version = assigned(point, energy("0.60", step=1000))
        [row] = await kept(point, station)
        assert (station.defaults, station.cleared) == ({}, [named])
        assert (row.state, row.tariff_id) == (TariffState.UNSAID, None)
        assert row.reason == "energy or time that is sold in blocks (elements[0].price_components[0])"
        items = point.look("inbox", kind="tariff_not_sayable")
        [item] = [one for one in items if version in str(one.detail)]
        assert (
            item.summary
            == f"stations are not told tariff of-{point.identity}, which they could not count by: {row.reason}"
        )


async def test_a_station_is_told_no_more_than_it_says_that_it_takes(scene: Scene) -> None:
    """Its own configuration tells it; the answer to the check brings the tariff on its way."""
    async with counting(scene, Available="true", MaxElements="1", ConditionsSupported="false") as (point, station):
        night = {"price_components": [energy("0.30")], "restrictions": {"start_time": "22:00", "end_time": "06:00"}}
        assigned(point, elements=[night, {"price_components": [energy("0.60")]}])
        scene.do(check_station, CheckStation(point.id))
        await work_off(point, station)
        assert point.look("stored_jobs", kind=KEEP_TARIFFS, subject_id=point.station_id)
        [row] = await kept(point, station)
        assert row.state is TariffState.UNSAID
        assert "more prices than this station takes (2 of 1)" in row.reason
        assert "prices with conditions, which this station does not take" in row.reason
        assert station.defaults == {}


async def test_a_refusal_is_seen_and_not_asked_again_until_somebody_wants_it(scene: Scene) -> None:
    """A station that says no says it each time; a person may try again."""
    async with counting(scene) as (point, station):
        station.says = "Rejected"
        [row] = await kept(point, station)
        assert (row.state, row.reason) == (TariffState.REFUSED, "Rejected")
        assert point.inbox()["tariff_refused"].summary == (
            f"station {point.identity} does not take the tariff of its EVSE 1: Rejected"
        )
        before = len(point.commands())
        await kept(point, station)
        assert len(point.commands()) == before
        station.says = "Accepted"
        scene.do(ask_tariffs, KeepTariffs(point.id))
        [row] = await kept(point, station)
        assert row.state is TariffState.HELD


async def test_a_name_that_is_taken_already_names_the_same_prices(scene: Scene) -> None:
    """An answer was lost: the station has it."""
    async with counting(scene) as (point, station):
        station.says = "DuplicateTariffId"
        [row] = await kept(point, station)
        assert row.state is TariffState.HELD
        assert "tariff_refused" not in point.inbox()


async def test_a_station_without_the_message_is_left_alone(scene: Scene) -> None:
    """Version 2.1 does not make a station count."""

    class Plain(ocpp.v21.ChargePoint):
        """It knows none of the messages about tariffs."""

        @on("SetDefaultTariff")
        async def keep(self, **_: Any) -> Any:
            """What it does not know."""
            raise NoSuchMessage

    async with scene.newcomer(NEWEST).online() as point:
        await point.boot()
        scene.do(keep_tariffs, KeepTariffs(point.id))
        await work_off(point, Plain(point.identity, point.socket))
        [row] = defaults(point)
        assert (row.state, row.reason) == (TariffState.UNSUPPORTED, "NotImplemented")
        assert scene.do(keep_tariffs, KeepTariffs(point.id)) == 0
        assert "tariff_refused" not in point.inbox(), "it is no refusal that anybody can do something about"


async def test_what_a_station_has_lost_is_told_again(scene: Scene) -> None:
    """After a boot, and each night, it is asked for the names of what it has."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        station.defaults.clear()
        assert point.look("stored_jobs", kind=VERIFY_TARIFFS, subject_id=point.station_id), "its boot asks for it"
        scene.do(verify_tariffs, KeepTariffs(point.id))
        await work_off(point, station)
        assert defaults(point)[0].reason == "the station does not have it any more"
        [row] = await kept(point, station)
        assert row.state is TariffState.HELD
        assert list(station.defaults) == [1]
        scene.do(verify_tariffs, KeepTariffs(point.id))
        await work_off(point, station)
        assert defaults(point)[0].state is TariffState.HELD, "what it has stays"


async def unanswered(point: Point, rounds: int, *, is_sent: bool) -> Any:
    """Another minute and a half passes, and nothing has come back; how it stands with its only EVSE then."""
    for one in point.commands():
        if one.is_open and is_sent:
            point.scene.do(note_sent, NoteSent(one.command_id, is_sent=True))

    def later(work: Any, _: object) -> None:
        work.machine_now = Instant(work.machine_now + 90_000 * rounds)
        for one in work.station_commands.by(station_id=point.station_id):
            watch_command(work, WatchCommand(one.command_id))
        keep_tariffs(work, KeepTariffs(point.id))

    point.scene.do(later, None)
    [row] = defaults(point)
    return row


async def test_a_price_that_changed_while_the_line_was_down_is_told_when_it_is_back(scene: Scene) -> None:
    """A line comes back without a boot; the display would show the old price for weeks, and nobody would know."""
    async with counting(scene) as (point, station):
        await kept(point, station)
    version = assigned(point, energy("1.19"))
    scene.do(keep_tariffs, KeepTariffs(point.id))
    before = len(point.commands())
    for rounds in range(1, 5):
        row = await unanswered(point, rounds, is_sent=False)
    assert (row.state, row.reason, row.silences) == (TariffState.SILENT, "not connected", 0)
    assert len(point.commands()) == before, "nobody is there to be asked again"
    assert "tariff_refused" not in point.inbox(), "a line that is down is no refusal"
    async with point.online():
        station = Counting(point.identity, point.socket)
        await point.say("Heartbeat", {})
        assert defaults(point)[0].state is TariffState.NONE
        [row] = await kept(point, station)
        assert (row.state, row.tariff_version_id) == (TariffState.HELD, version)
        assert station.defaults[1]["energy"]["prices"] == [{"price_kwh": 1}]


async def test_a_price_whose_command_ended_in_silence_is_told_again_at_the_return(scene: Scene) -> None:
    """It comes back after the command's end, and before anybody has looked at what became of it."""
    async with counting(scene) as (point, station):
        await kept(point, station)
    assigned(point, energy("1.19"))
    scene.do(keep_tariffs, KeepTariffs(point.id))

    def ended(work: Any, _: object) -> None:
        work.machine_now = Instant(work.machine_now + 90_000)
        for one in work.station_commands.by(station_id=point.station_id):
            watch_command(work, WatchCommand(one.command_id))

    scene.do(ended, None)
    async with point.online():
        await point.say("Heartbeat", {})
        [row] = await kept(point, Counting(point.identity, point.socket))
        assert row.state is TariffState.HELD


async def test_a_station_that_is_there_and_says_nothing_comes_before_a_person(scene: Scene) -> None:
    """It counts by the old price; each night it is tried again, and what waits goes when it has taken it."""
    async with counting(scene) as (point, station):
        scene.do(keep_tariffs, KeepTariffs(point.id))
        for rounds in range(1, 4):
            row = await unanswered(point, rounds, is_sent=True)
        assert (row.state, row.reason) == (TariffState.SILENT, "no answer")
        assert point.inbox()["tariff_refused"].summary == (
            f"station {point.identity} does not take the tariff of its EVSE 1: no answer"
        )
        scene.do(verify_tariffs, KeepTariffs(point.id))
        [row] = await kept(point, station)
        assert row.state is TariffState.HELD
        assert "tariff_refused" not in point.inbox()


async def test_a_tariff_that_was_to_go_and_nobody_said_so_is_cleared_again(scene: Scene) -> None:
    """The message was lost: the station counts by the old price until it has said that it does not."""
    async with counting(scene) as (point, station):
        [row] = await kept(point, station)
        named = row.tariff_id
        assigned(point, energy("0.60", step=1000))
        scene.do(keep_tariffs, KeepTariffs(point.id))
        row = await unanswered(point, 1, is_sent=True)
        assert (row.state, row.tariff_id, row.silences) == (TariffState.SENT, named, 1), "asked once more"
        await work_off(point, station)
        [row] = defaults(point)
        assert (row.state, row.tariff_id, station.defaults) == (TariffState.UNSAID, None, {})
        assert row.reason.startswith("energy or time that is sold in blocks")


async def test_a_tariff_that_does_not_go_comes_before_a_person_and_is_cleared_when_it_can_be(scene: Scene) -> None:
    """Each night the station is asked whether it has it still."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        scene.do(set_display, SetDisplay(point.id, Shows.NEVER))
        station.says = "Rejected"
        [row] = await kept(point, station)
        assert (row.state, row.reason) == (TariffState.REFUSED, "Rejected")
        assert row.tariff_id in station.cleared
        assert "tariff_refused" in point.inbox()
        before = len(point.commands())
        await kept(point, station)
        assert len(point.commands()) == before, "a station that says no says it each time"
        station.says = "Accepted"
        scene.do(verify_tariffs, KeepTariffs(point.id))
        await work_off(point, station)
        assert "GetTariffs" in {one.name for one in point.commands()}
        [row] = await kept(point, station)
        assert (row.state, row.tariff_id, station.defaults) == (TariffState.NONE, None, {})
        assert "tariff_refused" not in point.inbox()


async def test_only_stations_that_count_and_may_be_told_are_told(scene: Scene) -> None:
    """Earlier versions have no such message, and an operator may not want it."""
    old = scene.newcomer(NEW)
    async with old.online():
        await old.boot()
        assert scene.do(keep_tariffs, KeepTariffs(old.id)) == 0
    async with counting(scene) as (point, station):
        await kept(point, station)
        scene.do(set_display, SetDisplay(point.id, Shows.NEVER))
        [row] = await kept(point, station)
        assert (row.state, station.defaults) == (TariffState.NONE, {})
    async with counting(scene, Available="false") as (point, station):
        scene.do(check_station, CheckStation(point.id))
        await work_off(point, station)
        assert await kept(point, station) == []


async def test_a_tariff_for_everywhere_reaches_every_station_that_counts(scene: Scene) -> None:
    """One job looks at all of them, when the tariff begins to hold and when it ends."""
    async with counting(scene) as (point, _):
        assigned(point, energy("0.55"), scope=Scope.OPERATOR, audience="customer:other")
        assert point.look("stored_jobs", kind=SPREAD_TARIFFS)
        assert scene.do(spread_tariffs, OPERATOR) > 0
        assert point.look("stored_jobs", kind=KEEP_TARIFFS, subject_id=point.station_id)


async def test_many_stations_are_looked_at_some_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody waits for the writer meanwhile; the next round begins behind the last station."""
    monkeypatch.setattr(keep_tariff, "MOST_SPREAD", 2)
    points = [scene.newcomer(NEWEST) for _ in range(3)]
    for point in points:
        async with point.online():
            await point.boot()

    def begun(work: Any, _: object) -> list[Any]:
        return [one.subject_id for one in work.stored_jobs.by(kind=SPREAD_TARIFFS)]

    subject, rounds = f"{OPERATOR}/{min(one.station_id for one in points)[:-1]}", 0
    while scene.do(spread_tariffs, subject) == 2:
        [subject] = [one for one in scene.do(begun, None) if one > subject and "/" in one][-1:]
        rounds += 1
    assert rounds == 1
    assert all(point.look("stored_jobs", kind=KEEP_TARIFFS, subject_id=point.station_id) for point in points)


async def priced(point: Point, station: Counting) -> Any:
    """What the worker does about the price of its only session; how it stands then."""
    which = point.session.session_id
    assert point.look("stored_jobs", kind=KEEP_SESSION_TARIFF, subject_id=which)
    point.scene.do(keep_session_tariff, KeepSessionTariff(which))
    await work_off(point, station)
    [row] = point.look("told_tariffs", subject_id=which)
    return row


async def test_a_price_of_ones_own_is_told_for_the_transaction(scene: Scene) -> None:
    """A member's display shows the member's price."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        assigned(point, energy("0.238"), audience="customer:driver")
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        row = await priced(point, station)
        assert row.state is TariffState.HELD
        [(transaction, tariff)] = station.changed
        assert transaction == "T1"
        assert tariff["energy"]["prices"] == [{"price_kwh": 0.2}]


async def test_a_price_of_ones_own_that_nobody_answered_is_told_again_and_comes_to_an_end(scene: Scene) -> None:
    """It is looked at again by itself; a station that was away has not been silent; three silences are enough."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        assigned(point, energy("0.238"), audience="customer:driver")
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        which = KeepSessionTariff(point.session.session_id)

        def looked(work: Any, minutes: int) -> Any:
            work.machine_now = Instant(work.machine_now + minutes * 60_000)
            for one in work.station_commands.by(station_id=point.station_id):
                watch_command(work, WatchCommand(one.command_id))
            keep_session_tariff(work, which)
            return work.told_tariffs.find(which.session_id)

        def changes() -> list[Any]:
            return [one for one in point.commands() if one.name == "ChangeTransactionTariff"]

        row = scene.do(keep_session_tariff, which)
        [job] = point.look("stored_jobs", kind=KEEP_SESSION_TARIFF, subject_id=which.session_id)
        assert (row.state, job.state.value) == (TariffState.SENT, "ready")
        row = scene.do(looked, 2)
        assert (row.reason, len(changes())) == ("not connected", 1)
        row = scene.do(looked, 20)
        assert (row.state, row.silences, len(changes())) == (TariffState.SENT, 0, 2)
        for minutes in (30, 40, 50):
            for one in changes():
                scene.do(note_sent, NoteSent(one.command_id, is_sent=True))
            row = scene.do(looked, minutes)
        assert (row.state, row.silences, len(changes())) == (TariffState.SILENT, 3, 4)
        assert "tariff_refused" in point.inbox()


async def test_a_session_at_the_price_of_everybody_is_told_nothing(scene: Scene) -> None:
    """The station counts by it already."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        row = await priced(point, station)
        assert (row.state, station.changed) == (TariffState.HELD, [])


async def test_a_price_of_ones_own_goes_out_with_the_card_and_is_not_said_twice(scene: Scene) -> None:
    """Where all EVSEs have the same price for a driver, it is there before the session is."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        shown = {"idToken": {"idToken": "CARD", "type": "ISO14443"}}
        assert "tariff" not in await point.say("Authorize", shown)
        assigned(point, energy("0.238"), audience="customer:driver")
        told = (await point.say("Authorize", shown))["tariff"]
        assert told["energy"]["prices"] == [{"priceKwh": 0.2}]
        await point.event("Started", 0, "08:00:00", 1000, token="CARD", info={"tariffId": told["tariffId"]})
        row = await priced(point, station)
        assert (row.state, station.changed) == (TariffState.HELD, [])


async def test_a_tariff_that_another_one_was_to_replace_is_cleared_with_it(scene: Scene) -> None:
    """The message that brought the other one was lost: the station counts by the first one until it has said otherwise."""
    async with counting(scene) as (point, station):
        await kept(point, station)
        [first] = [one["tariff_id"] for one in station.defaults.values()]
        assigned(point, energy("0.70"))
        scene.do(keep_tariffs, KeepTariffs(point.id))
        row = await unanswered(point, 1, is_sent=True)
        assert row.older == (first,)
        assigned(point, energy("0.60", step=1000))
        await unanswered(point, 3, is_sent=True)
        await work_off(point, station)
        [row] = defaults(point)
        assert (row.state, row.tariff_id, row.older, station.defaults) == (TariffState.UNSAID, None, (), {})
        assert first in station.cleared


async def test_a_tariff_that_was_refused_leaves_the_one_before_it_to_be_cleared(scene: Scene) -> None:
    """A station that says no to the new price goes on by the old one."""
    async with counting(scene) as (point, station):
        [row] = await kept(point, station)
        first = row.tariff_id
        assert row.verified_at is not None
        assigned(point, energy("0.70"))
        station.says = "Rejected"
        [row] = await kept(point, station)
        assert (row.state, row.older, row.verified_at) == (TariffState.REFUSED, (first,), None)
        station.says = "Accepted"
        scene.do(set_display, SetDisplay(point.id, Shows.NEVER))
        [row] = await kept(point, station)
        assert (row.state, row.older, station.defaults) == (TariffState.NONE, (), {})


async def test_a_person_clears_what_a_station_counts_by_until_it_is_to_be_told_again(scene: Scene) -> None:
    """Nothing tells it again by itself: no assignment, no boot, no night."""
    async with counting(scene, evses=2) as (point, station):
        await kept(point, station)
        assert scene.do(clear_tariffs, KeepTariffs(point.id)) == 2
        rows = await kept(point, station)
        assert ([one.state for one in rows], station.defaults) == ([TariffState.NONE] * 2, {})
        assigned(point, energy("0.70"))
        scene.do(verify_tariffs, KeepTariffs(point.id))
        assert [one.is_cleared for one in await kept(point, station)] == [True, True]
        assert station.defaults == {}
        scene.do(ask_tariffs, KeepTariffs(point.id))
        rows = await kept(point, station)
        assert [one.state for one in rows] == [TariffState.HELD] * 2


async def test_a_station_of_another_version_is_told_no_tariffs_by_anybody(scene: Scene) -> None:
    """With the reason, instead of a button that does nothing."""
    point = scene.newcomer(NEW)
    for workflow in (ask_tariffs, clear_tariffs):
        with pytest.raises(Conflict) as refused:
            scene.do(workflow, KeepTariffs(point.id))
        assert refused.value.code == "stations.counts_not"


async def test_what_a_station_names_and_is_not_ours_is_noted(scene: Scene) -> None:
    """Somebody else has told it a tariff: a person sees its name, and when ours was last seen there."""
    async with counting(scene) as (point, station):
        [row] = await kept(point, station)
        station.defaults[1] = {"tariff_id": "of-somebody-else"}
        scene.do(verify_tariffs, KeepTariffs(point.id))
        await work_off(point, station)
        [row] = defaults(point)
        assert (row.named, row.verified_at, row.state) == (("of-somebody-else",), None, TariffState.NONE)
        [row] = await kept(point, station)
        assert row.state is TariffState.HELD
