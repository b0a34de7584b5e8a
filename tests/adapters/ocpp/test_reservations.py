"""Reservations over a real socket, with stations that somebody else wrote: kept, used, refused, given up, forgotten."""

# The `ocpp` package carries no types: its classes and decorators are Any here.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ocpp.v16
import ocpp.v201
import pytest
from ocpp.routing import on

from tallywatt.adapters.machine import MachineClock
from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import BadInput, Conflict
from tallywatt.rating.records import Scope
from tallywatt.stations.command import Action
from tallywatt.stations.messages import NEW, OLD
from tallywatt.stations.reservation import ReservationState, kept_from
from tallywatt.stations.station import Current
from tallywatt.workflows.add_station import NewEvse, add_evses
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.keep_reservation import WatchReservation, watch_reservation
from tallywatt.workflows.order_station import order_station
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.reserve import CancelReservation, Reserve, cancel_reservation, reserve
from tests.adapters.ocpp.scene import PER_KWH
from tests.adapters.ocpp.test_messages import carried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tallywatt.stations.reservation import Reservation
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOTH = pytest.mark.parametrize("protocol", [OLD, NEW])
WITH_FEES: dict[str, Any] = {
    "id": "kept",
    "currency": "EUR",
    "tax_included": "YES",
    "elements": [
        *PER_KWH["elements"],
        {
            "price_components": [{"type": "FLAT", "price": 1.19, "vat": 19, "step_size": 1}],
            "restrictions": {"reservation": "RESERVATION"},
        },
        {
            "price_components": [{"type": "FLAT", "price": 4.76, "vat": 19, "step_size": 1}],
            "restrictions": {"reservation": "RESERVATION_EXPIRES"},
        },
    ],
}

FEE_OF_NOBODY: dict[str, Any] = {
    "price_components": [{"type": "FLAT", "price": 9.99, "vat": 19, "step_size": 1}],
    "restrictions": {"reservation": "RESERVATION_EXPIRES"},
}


class Station16(ocpp.v16.ChargePoint):
    """A station of OCPP 1.6 that answers as it is told to."""

    answers: dict[str, str]
    told: list[dict[str, Any]]

    @on("ReserveNow")
    async def keep(self, **told: Any) -> Any:
        """Asked to keep a connector."""
        self.told.append(told)
        return ocpp.v16.call_result.ReserveNow(status=self.answers["reserve"])

    @on("CancelReservation")
    async def give_up(self, reservation_id: int) -> Any:
        """Asked to keep it no longer."""
        self.told.append({"cancel": reservation_id})
        return ocpp.v16.call_result.CancelReservation(status=self.answers["cancel"])


class Station201(ocpp.v201.ChargePoint):
    """A station of OCPP 2.0.1 that does the same."""

    answers: dict[str, str]
    told: list[dict[str, Any]]

    @on("ReserveNow")
    async def keep(self, **told: Any) -> Any:
        """Asked to keep an EVSE."""
        self.told.append(told)
        return ocpp.v201.call_result.ReserveNow(status=self.answers["reserve"])

    @on("CancelReservation")
    async def give_up(self, reservation_id: int, **_: Any) -> Any:
        """Asked to keep it no longer."""
        self.told.append({"cancel": reservation_id})
        return ocpp.v201.call_result.CancelReservation(status=self.answers["cancel"])


@asynccontextmanager
async def taking(scene: Scene, protocol: str, **answers: str) -> AsyncIterator[tuple[Point, list[dict[str, Any]]]]:
    """A station that takes reservations, and what it was told; it listens in turn with the story."""
    async with scene.newcomer(protocol).online() as point:
        await point.boot()
        kind = Station16 if protocol == OLD else Station201
        station = kind(point.identity, point.socket)
        station.answers = {"reserve": "Accepted", "cancel": "Accepted", **answers}
        station.told = []
        point.station = station  # type: ignore[attr-defined]  # the story's own
        yield point, station.told


async def done(point: Point) -> None:
    """What the worker does with all that was asked."""
    listening = asyncio.create_task(point.station.start())  # type: ignore[attr-defined]  # as above
    try:
        for one in [each for each in point.commands() if each.is_open]:
            await carried(point, one)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def evse_of(point: Point) -> Any:
    """Its only EVSE."""
    [evse] = point.look("evses", station_id=point.station_id)
    return evse


def asked(point: Point, token: str = "CARD", minutes: int = 30) -> Reservation:
    """Reserved for a token."""
    row: Reservation = point.scene.do(reserve, Reserve(point.id, minutes, evse_of(point).evse_id, token_uid=token))
    return row


def now(point: Point, held: Reservation) -> Reservation:
    """Where it stands."""
    [row] = point.look("reservations", reservation_id=held.reservation_id)
    found: Reservation = row
    return found


def clock(seconds: float = 0) -> str:
    """The present, as a station whose clock is right writes it."""
    moment = datetime.fromtimestamp(MachineClock().now() / 1000, UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def charged(point: Point, token: str, number: int | None = None, *, stops: bool = True) -> None:
    """A session of 200 Wh."""
    more: dict[str, Any] = {} if number is None else {"reservationId": number}
    if point.protocol == OLD:
        transaction = await point.start(clock(), 1000, token, **more)
        if stops:
            await point.stop(transaction, clock(1), 1200)
        return
    await point.event("Started", 0, clock(), 1000, token=token, **more)
    if stops:
        await point.event("Ended", 1, clock(1), 1200)


def past(point: Point, held: Reservation, minutes: int) -> None:
    """So many minutes go by for this one."""
    shift = minutes * 60_000

    def move(work: Any, row: Reservation) -> None:
        known = work.reservations.lock(row.reservation_id)
        moved = {
            name: Instant(getattr(known, name) - shift)
            for name in ("requested_at", "reserved_at", "expires_at", "ended_at")
            if getattr(known, name) is not None
        }
        work.reservations.put(replace(known, **moved))

    point.scene.do(move, held)


@BOTH
@pytest.mark.parametrize("names_it", [True, False])
async def test_a_reservation_is_kept_and_used_by_its_session(scene: Scene, protocol: str, names_it: bool) -> None:
    """Named by the start or recognised by its card: the session carries it, and its price counts from then."""
    async with taking(scene, protocol) as (point, told):
        held = asked(point)
        assert held.state is ReservationState.REQUESTED
        await done(point)
        held = now(point, held)
        assert held.state is ReservationState.ACTIVE
        assert held.reserved_at is not None
        assert told[0].get("connector_id", told[0].get("evse_id")) == 1
        await charged(point, "CARD", held.number if names_it else None)
        used = now(point, held)
        assert (used.state, used.session_id) == (ReservationState.USED, point.session.session_id)
        assert point.session.reservation_id == held.reservation_id
        assert used.kept_from is not None
        assert used.kept_from <= point.session.started_at
        assert point.billed_wh() == 200


@BOTH
async def test_a_refusal_ends_it_with_the_stations_word(scene: Scene, protocol: str) -> None:
    """Somebody stands there: the person who asked reads why."""
    async with taking(scene, protocol, reserve="Occupied") as (point, _):
        held = asked(point)
        await done(point)
        assert (now(point, held).state, now(point, held).reason) == (ReservationState.REFUSED, "Occupied")
        await charged(point, "SECOND")
        assert "reserved_for_another" not in point.session.flags


@BOTH
@pytest.mark.parametrize("answer", ["Accepted", "Rejected"])
async def test_a_reservation_is_given_up_once(scene: Scene, protocol: str, answer: str) -> None:
    """Rejected says that the station keeps nothing, too. Pressed twice, the station is asked once."""
    async with taking(scene, protocol, cancel=answer) as (point, told):
        held = asked(point)
        await done(point)
        scene.do(cancel_reservation, CancelReservation(held.reservation_id))
        scene.do(cancel_reservation, CancelReservation(held.reservation_id))
        assert now(point, held).is_open
        await done(point)
        assert now(point, held).state is ReservationState.CANCELLED
        assert told[1:] == [{"cancel": held.number}]
        again = asked(point)
        assert again.number == held.number + 1


async def test_an_error_is_no_answer_to_giving_it_up(scene: Scene) -> None:
    """The station has not even looked: the place is kept, a person sees why, and asks once more."""
    async with taking(scene, OLD) as (point, told):
        held = asked(point)
        await done(point)
        point.station.answers["cancel"] = "no such status at all"  # type: ignore[attr-defined]  # answered by an error
        scene.do(cancel_reservation, CancelReservation(held.reservation_id))
        await done(point)
        row = now(point, held)
        assert row.state is ReservationState.ACTIVE
        [refused] = point.look("station_commands", command_id=row.cancel_command_id)
        assert refused.state.value == "rejected"
        point.station.answers["cancel"] = "Accepted"  # type: ignore[attr-defined]  # as above
        scene.do(cancel_reservation, CancelReservation(held.reservation_id))
        await done(point)
        assert now(point, held).state is ReservationState.CANCELLED
        assert len(told) == 3


async def test_a_bare_message_makes_no_reservation_that_nobody_follows(scene: Scene) -> None:
    """ReserveNow by its name is refused with what to do instead; so is giving up one of ours, and never a foreign one."""
    async with taking(scene, OLD) as (point, told):
        held = asked(point)
        await done(point)
        for name, content in (
            ("ReserveNow", {"connectorId": 1, "expiryDate": clock(600), "idTag": "CARD", "reservationId": 99}),
            ("CancelReservation", {"reservationId": held.number}),
        ):
            command = CommandStation(point.id, Action.MESSAGE, {"name": name, "content": content})
            with pytest.raises(BadInput) as refused:
                scene.do(order_station, command)
            assert refused.value.code == "stations.use_reservation"
        foreign = {"name": "CancelReservation", "content": {"reservationId": 4711}}
        scene.do(order_station, CommandStation(point.id, Action.MESSAGE, foreign))
        await done(point)
        assert told[1:] == [{"cancel": 4711}]


async def test_nobody_came_to_any_evse_and_the_least_price_is_billed(scene: Scene) -> None:
    """Which EVSE was kept is not known: of the prices of all the lowest counts, and it is billed like any other."""
    async with taking(scene, NEW) as (point, _):
        dear = {**WITH_FEES, "id": "dear", "elements": [*WITH_FEES["elements"][:-1], FEE_OF_NOBODY]}
        second = (NewEvse(2, Current.AC, 22_000),)
        scene.do(lambda work, new: add_evses(work, work.stations.get(point.station_id), new), second)
        for evse, terms in zip(point.look("evses", station_id=point.station_id), (dear, WITH_FEES), strict=True):
            put = scene.do(put_tariff, PutTariff(terms))
            where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse.code, Instant(0))
            scene.do(assign_tariff, where)
        variable = {"component": {"name": "ReservationCtrlr"}, "variable": {"name": "NonEvseSpecific"}}
        said = {"variableAttribute": [{"value": "true"}], **variable}
        report = {"requestId": 1, "generatedAt": clock(), "seqNo": 0, "reportData": [said]}
        await point.say("NotifyReport", report)
        held = scene.do(reserve, Reserve(point.id, 30, token_uid="CARD"))
        await done(point)
        past(point, held, 30)
        await point.say("ReservationStatusUpdate", {"reservationId": held.number, "reservationUpdateStatus": "Expired"})
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert invoice.gross_minor == 476
        assert now(point, held).session_id == point.session.session_id


@BOTH
async def test_another_card_is_refused_where_all_is_kept_and_its_energy_is_billed(scene: Scene, protocol: str) -> None:
    """Authorize names no EVSE: with one EVSE, kept, the answer is no. A station that starts all the same is not punished."""
    async with taking(scene, protocol) as (point, _):
        held = asked(point)
        await done(point)
        if protocol == OLD:
            answer = (await point.say("Authorize", {"idTag": "SECOND"}))["idTagInfo"]["status"]
            own = (await point.say("Authorize", {"idTag": "CARD"}))["idTagInfo"]["status"]
        else:
            token = {"idToken": {"idToken": "SECOND", "type": "ISO14443"}}
            answer = (await point.say("Authorize", token))["idTokenInfo"]["status"]
            token = {"idToken": {"idToken": "CARD", "type": "ISO14443"}}
            own = (await point.say("Authorize", token))["idTokenInfo"]["status"]
        assert (answer, own) == ("Blocked" if protocol == OLD else "NotAtThisTime", "Accepted")
        await charged(point, "SECOND")
        assert "reserved_for_another" in point.session.flags
        assert point.billed_wh() == 200
        assert now(point, held).state is ReservationState.ACTIVE


async def test_a_start_before_the_answer_has_used_it_all_the_same(scene: Scene) -> None:
    """Facts come in any order: a start that names a reservation proves it, and its answer changes nothing any more."""
    async with taking(scene, OLD) as (point, _):
        held = asked(point)
        await charged(point, "CARD", held.number)
        assert now(point, held).state is ReservationState.USED
        await done(point)
        assert now(point, held).state is ReservationState.USED
        assert point.billed_wh() == 200


async def test_what_a_station_tells_of_its_end_counts_once(scene: Scene) -> None:
    """ReservationStatusUpdate: removed, told again, and of one that nobody has asked for."""
    async with taking(scene, NEW) as (point, _):
        held = asked(point)
        await done(point)
        for number in (held.number, held.number, 4711):
            update = {"reservationId": number, "reservationUpdateStatus": "Removed"}
            assert await point.say("ReservationStatusUpdate", update) == {}
        assert now(point, held).state is ReservationState.REMOVED
        await point.say("ReservationStatusUpdate", {"reservationId": held.number, "reservationUpdateStatus": "Expired"})
        assert now(point, held).state is ReservationState.REMOVED


@BOTH
async def test_one_that_nobody_ends_is_ended_and_a_late_start_still_uses_it(scene: Scene, protocol: str) -> None:
    """The station was without a line: what it tells hours later is taken, and then nobody waits for it any more."""
    async with taking(scene, protocol) as (point, _):
        held = asked(point)
        await done(point)
        past(point, held, 40)
        again = scene.do(watch_reservation, WatchReservation(held.reservation_id))
        assert (now(point, held).state, again > 3600) == (ReservationState.EXPIRED, True)
        if protocol == OLD:
            await point.start(clock(-1800), 1000, "CARD")
        else:
            await point.event("Started", 0, clock(-1800), 1000, token="CARD", offline=True)
        assert now(point, held).state is ReservationState.USED
        assert scene.do(watch_reservation, WatchReservation(held.reservation_id)) is None


@BOTH
async def test_a_start_in_the_last_moment_at_a_station_whose_clock_is_late_uses_it(scene: Scene, protocol: str) -> None:
    """Heard seconds after its end, and stamped before it was asked for: nobody pays for not having come."""
    async with taking(scene, protocol) as (point, _):
        held = asked(point, minutes=1)
        await done(point)
        past(point, held, 2)
        if protocol == OLD:
            await point.start(clock(-900), 1000, "CARD")
        else:
            await point.event("Started", 0, clock(-900), 1000, token="CARD")
        assert now(point, held).state is ReservationState.USED
        assert now(point, held).session_id == point.session.session_id


async def test_nobody_came_and_the_tariff_has_a_price_for_that(scene: Scene) -> None:
    """It is billed as a session without energy, once, and the audit finds nothing to object to."""
    async with taking(scene, NEW) as (point, _):
        put = scene.do(put_tariff, PutTariff(WITH_FEES))
        where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse_of(point).code, Instant(0))
        scene.do(assign_tariff, where)
        held = asked(point)
        await done(point)
        past(point, held, 30)
        for _ in range(2):
            update = {"reservationId": held.number, "reservationUpdateStatus": "Expired"}
            await point.say("ReservationStatusUpdate", update)
        row = now(point, held)
        assert (row.state, row.session_id) == (ReservationState.EXPIRED, point.session.session_id)
        assert (point.session.state, point.wh) == ("billed", 0)
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert invoice.gross_minor == 476


async def test_a_place_that_was_kept_for_less_than_agreed_costs_nothing(scene: Scene) -> None:
    """A station whose clock is early says at once that nobody came: the driver, who had half an hour, is not charged for it."""
    async with taking(scene, NEW) as (point, _):
        put = scene.do(put_tariff, PutTariff(WITH_FEES))
        where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse_of(point).code, Instant(0))
        scene.do(assign_tariff, where)
        held = asked(point)
        await done(point)
        await point.say("ReservationStatusUpdate", {"reservationId": held.number, "reservationUpdateStatus": "Expired"})
        row = now(point, held)
        assert (row.state, row.reason) == (ReservationState.REMOVED, "Expired, earlier than agreed")
        assert point.sessions() == []
        await charged(point, "CARD")
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert (invoice.gross_minor, now(point, held).kept_from) == (10, None)


@pytest.mark.parametrize(
    ("left", "said", "grosses"),
    [(20, "Available", []), (0, "Available", [476]), (20, "Preparing", [476]), (20, "Unavailable", [476])],
)
async def test_an_old_station_that_gives_a_place_up_too_early_charges_nobody(
    scene: Scene, left: int, said: str, grosses: list[int]
) -> None:
    """OCPP 1.6 has no word for its end but the status of the connector: free again while the driver has still time."""
    async with taking(scene, OLD) as (point, _):
        put = scene.do(put_tariff, PutTariff(WITH_FEES))
        where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse_of(point).code, Instant(0))
        scene.do(assign_tariff, where)
        held = asked(point)
        await done(point)
        past(point, held, 30 - left)
        for place, status in enumerate(("Available", "Reserved", said)):
            told = {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": clock(place)}
            await point.say("StatusNotification", told)
        row = now(point, held)
        is_early = not grosses
        assert row.state is (ReservationState.REMOVED if is_early else ReservationState.ACTIVE)
        assert row.reason == ("Available, earlier than agreed" if is_early else None)
        past(point, held, 3 * 24 * 60)
        for _ in range(2):
            scene.do(watch_reservation, WatchReservation(held.reservation_id))
        found = [
            one.gross_minor
            for session in point.sessions()
            for one in point.look("invoices", session_id=session.session_id)
        ]
        assert found == grosses


async def test_a_start_after_the_bill_of_nobody_came_is_charged_for_its_energy_alone(scene: Scene) -> None:
    """The station said that nobody came, and tells of a start all the same: no reservation is paid for twice."""
    async with taking(scene, NEW) as (point, _):
        put = scene.do(put_tariff, PutTariff(WITH_FEES))
        where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse_of(point).code, Instant(0))
        scene.do(assign_tariff, where)
        held = asked(point)
        await done(point)
        past(point, held, 30)
        update = {"reservationId": held.number, "reservationUpdateStatus": "Expired"}
        await point.say("ReservationStatusUpdate", update)
        await charged(point, "CARD", held.number)
        scene.do(watch_reservation, WatchReservation(held.reservation_id))
        past(point, held, 3 * 24 * 60)
        assert scene.do(watch_reservation, WatchReservation(held.reservation_id)) is None
        grosses = sorted(
            invoice.gross_minor
            for one in point.sessions()
            for invoice in point.look("invoices", session_id=one.session_id)
        )
        assert grosses == [10, 476]


async def test_an_end_that_is_told_before_the_yes_is_never_charged(scene: Scene) -> None:
    """For how long the place was kept is not known, and a day later it is not, either."""
    async with taking(scene, NEW) as (point, _):
        put = scene.do(put_tariff, PutTariff(WITH_FEES))
        where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse_of(point).code, Instant(0))
        scene.do(assign_tariff, where)
        held = asked(point)
        past(point, held, 30)
        await point.say("ReservationStatusUpdate", {"reservationId": held.number, "reservationUpdateStatus": "Expired"})
        await done(point)
        assert now(point, held).reserved_at is not None
        past(point, held, 3 * 24 * 60)
        moved = now(point, held)
        assert moved.ended_at is not None
        assert scene.do(watch_reservation, WatchReservation(held.reservation_id)) is None
        assert (now(point, held).state, point.sessions()) == (ReservationState.EXPIRED, [])


@pytest.mark.parametrize("is_given_up", [True, False])
async def test_a_place_that_was_not_kept_for_the_driver_is_not_charged(scene: Scene, is_given_up: bool) -> None:
    """A station that names the reservation of somebody else, or one that was given up: the energy is billed, the place not."""
    async with taking(scene, OLD) as (point, _):
        put = scene.do(put_tariff, PutTariff(WITH_FEES))
        where = AssignTariff(put.version.tariff_version_id, Scope.EVSE, evse_of(point).code, Instant(0))
        scene.do(assign_tariff, where)
        held = asked(point)
        await done(point)
        if is_given_up:
            scene.do(cancel_reservation, CancelReservation(held.reservation_id))
            await done(point)
        await charged(point, "CARD" if is_given_up else "SECOND", held.number)
        assert (now(point, held).state, now(point, held).kept_from) == (ReservationState.USED, None)
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert invoice.gross_minor == 10


async def test_whose_place_it_is_or_who_charges_there_is_not_refused(scene: Scene) -> None:
    """Another card of the same customer, and the card of a session that goes on, which is shown to stop it."""

    async def answer(token: str) -> str:
        told: str = (await point.say("Authorize", {"idTag": token}))["idTagInfo"]["status"]
        return told

    async with taking(scene, OLD) as (point, _):
        asked(point, "SECOND")
        await done(point)
        assert [await answer(one) for one in ("SECOND", "FLEET-1", "CARD")] == ["Accepted", "Accepted", "Blocked"]
        await charged(point, "CARD", stops=False)
        assert await answer("CARD") == "Accepted"


async def test_who_gave_up_in_time_is_not_charged_although_the_station_never_heard(scene: Scene) -> None:
    """The cancellation did not reach it, and it says that nobody came."""
    async with taking(scene, NEW) as (point, _):
        held = asked(point)
        await done(point)
        scene.do(cancel_reservation, CancelReservation(held.reservation_id))
        await point.say("ReservationStatusUpdate", {"reservationId": held.number, "reservationUpdateStatus": "Expired"})
        assert now(point, held).state is ReservationState.CANCELLED
        assert point.sessions() == []


async def test_an_evse_is_kept_for_one_at_a_time(scene: Scene) -> None:
    """The second hears no before the station is asked; any EVSE needs a station that says it can."""
    async with taking(scene, OLD) as (point, told):
        asked(point)
        await done(point)
        with pytest.raises(Conflict) as refused:
            asked(point, "SECOND")
        assert refused.value.code == "reservations.taken"
        with pytest.raises(Conflict) as refused:
            scene.do(reserve, Reserve(point.id, 30, token_uid="SECOND"))
        assert refused.value.code == "reservations.needs_evse"
        assert len(told) == 1


@BOTH
async def test_a_card_of_the_same_group_uses_it(scene: Scene, protocol: str) -> None:
    """A fleet's second card, and no session is opened for a start that is told twice."""
    async with taking(scene, protocol) as (point, told):
        held = asked(point, "FLEET-1")
        await done(point)
        assert "FLEET" in str(told[0])
        await charged(point, "fleet-1")
        assert now(point, held).session_id == point.session.session_id


async def test_the_time_that_is_kept_is_never_longer_than_credible(scene: Scene) -> None:
    """A station's clock may be years away: the shortest time that both clocks allow is what may be charged."""
    assert scene.store is not None
    held: Any = _held(reserved_at=1_000_000, expires_at=1_600_000)
    for started_at, received_at, kept in (
        (1_200_000, 1_200_500, 200_000),
        (1_200_000, 1_100_000, 100_000),
        (5_000, 1_300_000, 300_000),
        (99_000_000_000, 1_300_000, 300_000),
        (99_000_000_000, 99_000_000_000, 600_000),
    ):
        assert kept_from(held, Instant(started_at), Instant(received_at)) == started_at - kept


def _held(**known: Any) -> Any:
    from types import SimpleNamespace  # noqa: PLC0415  # two fields are all that it looks at

    return SimpleNamespace(**known)
