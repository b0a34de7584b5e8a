"""What stations do to those who bill for them, each as a story over a real socket: nothing is lost, nothing billed blindly.

The cases are public: issues and changes of independent stations and platforms. Each test is named after its pitfall; all share
one house, and the last test audits everything that was told in it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect

from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.stations.command import Action
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.lose_stop import LoseStop, lose_stop
from tests.adapters.ocpp.house import basic
from tests.adapters.ocpp.scene import at

if TYPE_CHECKING:
    from tests.adapters.ocpp.scene import Point, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")


def billed(point: Point) -> float:
    """What of the only session is on a bill, in Wh."""
    assert point.session.state is SessionState.BILLED, (point.session.state, point.session.flags)
    return point.billed_wh()


# --- starts and stops of OCPP 1.6 ---


async def test_a_stop_with_id_minus_one_after_an_offline_start_is_parked_and_never_guessed(scene: Scene) -> None:
    """The station charged offline and never learned its number; two sessions could be meant as well as one."""
    async with scene.newcomer().online() as point:
        await point.start("08:00:00", 1000)
        await point.stop(-1, "09:00:00", 9000, idTag="CARD")
        assert point.session.is_open
        assert [*point.inbox()] == ["unknown_transaction"]


async def test_a_session_of_which_only_the_stop_arrives_is_rebuilt_from_it_and_held(scene: Scene) -> None:
    """The station lost its queue in a reset, but its stop carries what was metered: energy that must not vanish."""
    async with scene.newcomer().online() as point:
        data = [
            {"timestamp": at(when), "sampledValue": [{"value": str(register), "context": context}]}
            for when, register, context in (
                ("08:00:00", 1000, "Transaction.Begin"),
                ("09:00:00", 9000, "Transaction.End"),
            )
        ]
        for _ in range(2):
            answer = await point.stop(-1, "09:00:00", 9000, idTag="CARD", transactionData=data)
        assert answer == {"idTagInfo": {"status": "Accepted"}}
        assert (point.session.state, point.wh) == (SessionState.HELD, 8000)
        assert point.session.payer is PayerKind.CUSTOMER
        assert "start_missing" in point.session.flags
        assert [*point.inbox()] == ["start_missing"]


async def test_a_stop_of_a_transaction_that_the_station_began_by_itself_is_acknowledged_and_kept(scene: Scene) -> None:
    """A free or local transaction: an error would be answered by the same stop for ever."""
    async with scene.newcomer().online() as point:
        assert await point.stop(4711, "09:00:00", 9000) == {}
        assert [*point.inbox()] == ["unknown_transaction"]
        assert point.sessions() == []


async def test_a_start_whose_answer_was_lost_is_one_session_on_the_next_socket_too(scene: Scene) -> None:
    """It is resent under another message id, and under the same one."""
    point = scene.newcomer()
    numbers = []
    for message_id in ("a", "b", "a"):
        async with point.online():
            told = {"connectorId": 1, "idTag": "CARD", "meterStart": 1000, "timestamp": at("08:00:00")}
            numbers.append((await point.say("StartTransaction", told, message_id))["transactionId"])
    assert len(set(numbers)) == 1
    assert point.session.is_open


async def test_a_stop_told_again_with_other_values_is_disputed_and_the_first_one_is_final(scene: Scene) -> None:
    """Retries after a boot come with the meter of now."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.stop(number, "09:00:00", 9000)
        await point.stop(number, "09:00:00", 9000)
        await point.stop(number, "09:30:00", 9004)
        assert billed(point) == 8000
        assert [*point.inbox()] == ["stop_differs"]


async def test_no_start_is_ever_answered_with_transaction_zero(scene: Scene) -> None:
    """A station takes 0 for no transaction, and stops it as -1: also for a token that may not charge."""
    async with scene.newcomer(evses=2).online() as point:
        numbers = [
            await point.start("08:00:00", 1000),
            await point.start("08:01:00", 1000, token="STRANGER", connector=2),
            await point.start("08:02:00", 1500),
        ]
    assert all(number > 0 for number in numbers)
    assert len(set(numbers)) == 3


async def test_a_stop_with_a_made_up_id_ends_nobody_elses_transaction(scene: Scene) -> None:
    """Ids belong to one station; its neighbour's number is not its own."""
    async with scene.newcomer().online() as neighbour, scene.newcomer().online() as point:
        await neighbour.start("07:00:00", 0)
        for _ in range(3):
            number = await neighbour.start("08:00:00", 0)
        await point.start("08:00:00", 1000)
        await point.stop(number, "09:00:00", 9000)
        await point.stop(0, "09:00:00", 9000)
        assert point.session.is_open
        assert neighbour.sessions()[-1].is_open


async def test_a_meter_that_stops_below_its_start_is_held_with_the_evidence(scene: Scene) -> None:
    """The register was reset in between, or lies: the stop is taken, the bill waits."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 9000)
        await point.stop(number, "09:00:00", 1000)
        assert point.session.state is SessionState.HELD
        assert "meter_reset" in point.inbox()


async def test_a_meter_stop_of_minus_one_means_unknown_and_is_never_energy(scene: Scene) -> None:
    """The last value is a lower bound; nobody has seen the rest."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.values(number, ("08:30:00", 5000))
        await point.stop(number, "09:00:00", -1)
        assert (point.session.state, point.wh) == (SessionState.HELD, 4000)
        assert "missing_energy" in point.inbox()


async def test_a_stop_without_id_tag_is_a_stop(scene: Scene) -> None:
    """The field is optional."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        assert await point.stop(number, "09:00:00", 9000) == {}
        assert billed(point) == 8000


async def test_a_stop_by_another_card_bills_the_starter_and_notes_the_stopper(scene: Scene) -> None:
    """A stop is a report and no permission: also a card that nobody knows has ended it."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        answer = await point.stop(number, "09:00:00", 9000, idTag="second")
        assert answer == {"idTagInfo": {"status": "Accepted"}}
        assert billed(point) == 8000
        assert (point.session.token_uid, point.session.stopped_by) == ("card", "second")


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
async def test_a_card_is_told_with_its_group_so_that_another_one_of_it_may_stop(scene: Scene, protocol: str) -> None:
    """The station decides by the parent tag, also while it is offline; without one only the same card stops."""
    async with scene.newcomer(protocol).online() as point:
        if protocol == "ocpp1.6":
            shown = await point.say("Authorize", {"idTag": "fleet-1"})
            assert shown == {"idTagInfo": {"status": "Accepted", "parentIdTag": "FLEET"}}
            start = {"connectorId": 1, "idTag": "FLEET-1", "meterStart": 0, "timestamp": at("08:00:00")}
            assert (await point.say("StartTransaction", start))["idTagInfo"] == shown["idTagInfo"]
        else:
            shown = await point.say("Authorize", {"idToken": {"idToken": "FLEET-1", "type": "ISO14443"}})
            group = {"idToken": "FLEET", "type": "Central"}
            shown["idTokenInfo"].pop("personalMessage")  # the price, which is another story
            assert shown == {"idTokenInfo": {"status": "Accepted", "groupIdToken": group}}
            started = await point.event("Started", 0, "08:00:00", 1000, token="FLEET-1")
            assert started["idTokenInfo"] | {"personalMessage": None} == shown["idTokenInfo"] | {
                "personalMessage": None
            }


# --- registers ---


@pytest.mark.parametrize(
    ("told", "stop", "state"),
    [
        pytest.param(
            [("08:20:00", 3000), ("08:40:00", 0), ("08:50:00", 6000)], 9000, SessionState.BILLED, id="dropout"
        ),
        pytest.param([("08:20:00", 500), ("08:40:00", 4000)], 9000, SessionState.BILLED, id="relative values"),
        pytest.param([("08:20:00", 5000), ("08:40:00", 2000)], 3000, SessionState.HELD, id="reset within"),
    ],
)
async def test_registers_that_fall_are_dropouts_relative_values_or_resets(
    scene: Scene, told: list[tuple[str, int]], stop: int, state: SessionState
) -> None:
    """A register may count per session, per boot or for life, or drop to zero; 4 MWh were once taken for a session."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.values(number, *told)
        await point.stop(number, "09:00:00", stop)
        assert point.session.state is state
        assert point.wh == (8000 if state is SessionState.BILLED else 4000 + 3000)


async def test_begin_and_present_register_in_one_list_are_told_apart_by_their_context(scene: Scene) -> None:
    """By position the first would be taken for the present one, in every message."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        both = [{"value": "1000", "context": "Transaction.Begin"}, {"value": "5000", "context": "Sample.Periodic"}]
        meter = [{"timestamp": at("08:30:00"), "sampledValue": both}]
        await point.say("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": meter})
        assert point.wh == 4000


async def test_a_value_after_the_stop_never_reopens_a_session(scene: Scene) -> None:
    """A late Transaction.End arrives minutes after the bill: it is kept, and changes nothing."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.stop(number, "09:00:00", 9000)
        await point.values(number, ("09:00:01", 9004), context="Transaction.End")
        await point.values(None, ("09:00:05", 9004))
        assert billed(point) == 8000
        assert "late_reading" in point.session.flags
        assert [one.register for one in point.readings()] == [9_004_000]


async def test_a_register_without_unit_is_watt_hours(scene: Scene) -> None:
    """The specification says so; read as kWh the session would be a thousand times as large."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.values(number, ("08:30:00", 5000))
        assert point.wh == 4000


async def test_a_wrong_unit_is_held_by_what_the_connector_can_deliver(scene: Scene) -> None:
    """Watt-hours labelled kWh: 8 MWh in an hour at 22 kW."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 0)
        await point.stop(
            number,
            "09:00:00",
            8_000_000,
            transactionData=[
                {"timestamp": at("08:30:00"), "sampledValue": [{"value": "4000", "unit": "kWh"}]},
            ],
        )
        assert point.session.state is SessionState.HELD
        assert "implausible" in point.inbox()


async def test_registers_of_the_phases_are_never_added_to_the_total(scene: Scene) -> None:
    """L1 + L2 + L3 + total is twice the energy."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        values = [{"value": "5000"}, *({"value": "1666", "phase": phase} for phase in ("L1", "L2", "L3"))]
        meter = [{"timestamp": at("08:30:00"), "sampledValue": values}]
        await point.say("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": meter})
        assert point.wh == 4000


async def test_values_without_energy_do_not_set_the_total_to_zero(scene: Scene) -> None:
    """A clock-aligned batch tells the state of charge alone; and Sample.Clock counts like any other register."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.values(number, ("08:15:00", 5000), context="Sample.Clock")
        await point.values(number, ("08:20:00", 55), measurand="SoC", unit="Percent", context="Sample.Clock")
        assert point.wh == 4000


async def test_signed_values_are_kept_as_they_came_and_never_read_as_a_figure(scene: Scene) -> None:
    """Their bytes are evidence; whatever they are, they break nothing."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        signed = {
            "value": '{"format":"ALFEN","value":"4F434D46"}',
            "format": "SignedData",
            "context": "Transaction.End",
        }
        data = [{"timestamp": at("09:00:00"), "sampledValue": [signed]}]
        await point.stop(number, "09:00:00", 9000, transactionData=data)
        assert billed(point) == 8000
        assert point.readings() == []


# --- order, sockets, clocks ---


async def test_boot_and_available_before_the_replay_destroy_no_stop(scene: Scene) -> None:
    """A station that was offline says first that it is there and free, and only then what had happened."""
    point = scene.newcomer()
    async with point.online():
        number = await point.start("08:00:00", 1000)
    async with point.online():
        await point.boot()
        await point.status("Available", "10:00:00")
        await point.values(number, ("08:30:00", 5000))
        await point.stop(number, "09:00:00", 9000)
        assert billed(point) == 8000
        assert point.inbox() == {}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
async def test_offline_events_in_any_order_are_one_session(scene: Scene, order: tuple[int, ...]) -> None:
    """Replayed events overtake one another, and come twice."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        events: list[tuple[Any, ...]] = [
            ("Started", 0, "08:00:00", 1000),
            ("Updated", 1, "08:30:00", 5000),
            ("Ended", 2, "09:00:00", 9000),
        ]
        for place in (*order, *order):
            await point.event(*events[place], token="CARD" if place == 0 else None, offline=True)
        assert billed(point) == 8000
        assert point.inbox() == {}


async def test_charging_may_be_reported_before_the_start(scene: Scene) -> None:
    """The status is faster than the transaction."""
    async with scene.newcomer().online() as point:
        await point.status("Charging", "07:59:58")
        number = await point.start("08:00:00", 1000)
        await point.stop(number, "09:00:00", 9000)
        assert billed(point) == 8000


async def test_the_newest_socket_wins_and_the_late_end_of_the_old_one_cuts_nobody_off(scene: Scene) -> None:
    """A station that lost its line comes back before anybody noticed."""
    point = scene.newcomer()
    async with point.online():
        number = await point.start("08:00:00", 1000)
        async with point.online():
            await point.stop(number, "09:00:00", 9000)
            assert point.station_id in scene.gateway.connected()
        assert billed(point) == 8000


async def test_a_station_without_subprotocol_is_understood(scene: Scene) -> None:
    """Some leave the header out; what they speak is 1.6."""
    point = scene.newcomer()
    url = f"ws://127.0.0.1:{scene.gateway.port}/ocpp/op/{point.identity}"
    async with connect(url, additional_headers=basic(point.identity)) as socket:
        point.socket = socket
        assert await point.start("08:00:00", 1000) > 0


async def test_a_station_that_names_no_version_speaks_the_one_that_its_operator_has_set(scene: Scene) -> None:
    """One of 2.0.1 that leaves the header out, or whose proxy strips it, is understood in its own version."""
    point = scene.newcomer("ocpp2.0.1")
    [known] = [one for one in scene.neighbours.credentials if one.identity == point.identity]
    place = scene.neighbours.credentials.index(known)
    scene.neighbours.credentials[place] = replace(known, preferred_protocol=point.protocol)
    url = f"ws://127.0.0.1:{scene.gateway.port}/ocpp/op/{point.identity}"
    async with connect(url, additional_headers=basic(point.identity)) as socket:
        point.socket = socket
        await point.boot()
        assert point.look("stations", station_id=point.station_id)[0].protocol == point.protocol


@pytest.mark.parametrize(
    ("stop_at", "meter", "kinds"),
    [
        ("07:00:00", 3000, {"implausible"}),
        ("08:00:00", 3000, {"implausible"}),
        ("09:00:00", 500, {"meter_reset"}),
        ("09:00:00", 900_000, {"implausible"}),
    ],
    ids=["dated before its start", "energy in no time", "below its start", "more than the connector can deliver"],
)
async def test_a_stop_that_cannot_be_true_is_taken_and_its_bill_waits(
    scene: Scene, stop_at: str, meter: int, kinds: set[str]
) -> None:
    """The rules by which SteVe calls a transaction suspect: here each holds the session, with what speaks against it."""
    async with scene.newcomer().online() as point:
        number = await point.start("08:00:00", 1000)
        await point.stop(number, stop_at, meter)
        assert point.session.state is SessionState.HELD
        assert kinds & set(point.inbox())


async def test_two_sessions_of_a_clock_that_never_left_1970_are_two(scene: Scene) -> None:
    """After each boot it tells the same time again; and no price per time rests on it."""
    async with scene.newcomer().online() as point:
        dead = "1970-01-01T00:03:00Z"
        first = await point.start(dead, 1000)
        await point.stop(first, "1970-01-01T01:03:00Z", 2000)
        second = await point.start(dead, 1000)
        assert first != second
        assert all("clock_not_set" in one.flags for one in point.sessions())


async def test_a_time_without_offset_is_read_as_utc_and_flagged(scene: Scene) -> None:
    """The specification wants UTC; an offset that is not told cannot be known."""
    async with scene.newcomer().online() as point:
        await point.start("2026-11-20T08:00:00", 1000)
        assert "time_without_zone" in point.session.flags
        assert point.session.started_at == 1_795_161_600_000


async def test_a_connector_number_out_of_all_bounds_breaks_nothing(scene: Scene) -> None:
    """One garbage integer must not become a list of that length."""
    async with scene.newcomer().online() as point:
        await point.start("08:00:00", 1000, connector=2**40)
        await point.say("StatusNotification", {"connectorId": 65_000, "status": "Available", "errorCode": "NoError"})
        assert "unknown_evse" in point.session.flags


# --- OCPP 2.x ---


async def test_the_connector_is_told_by_the_first_event_after_the_vehicle_came_and_is_remembered(scene: Scene) -> None:
    """E01: the transaction begins with the card, the EVSE follows, and no later event repeats it."""
    async with scene.newcomer("ocpp2.0.1", evses=2).online() as point:
        await point.event("Started", 0, "08:00:00", token="CARD", evse=None)
        await point.event("Updated", 1, "08:01:00", 1000, evse=2)
        await point.event("Updated", 2, "08:30:00", 5000, evse=None)
        await point.event("Ended", 3, "09:00:00", 9000, evse=None)
        [evse] = point.look("evses", evse_id=point.session.evse_id)
        assert evse.number == 2
        assert billed(point) == 8000
        assert "unknown_evse" not in point.session.flags


async def test_a_card_that_is_shown_after_the_cable_was_plugged_in_owes(scene: Scene) -> None:
    """The cable comes first, the transaction begins with nobody, and the token is told by a later event."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        assert await point.event("Started", 0, "08:00:00", 1000, info={"chargingState": "EVConnected"}) == {}
        answer = await point.event("Updated", 1, "08:01:00", 1000, token="CARD", info={"chargingState": "Charging"})
        assert answer == {"idTokenInfo": {"status": "Accepted"}}
        await point.event("Ended", 2, "09:00:00", 9000)
        assert (point.session.payer, point.session.token_uid) == (PayerKind.CUSTOMER, "card")
        assert billed(point) == 8000
        assert "unknown_token" not in point.session.flags


async def test_a_card_that_nobody_knows_is_told_so_when_it_is_shown_late(scene: Scene) -> None:
    """The answer to the event is what stops the station from delivering."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000)
        answer = await point.event("Updated", 1, "08:01:00", 1000, token="STRANGER")
        assert answer == {"idTokenInfo": {"status": "Unknown"}}


async def test_another_card_that_ends_a_running_transaction_does_not_become_its_payer(scene: Scene) -> None:
    """An Updated(StopAuthorized) names who stops it."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Updated", 1, "08:59:59", 8999, token="SECOND", triggerReason="StopAuthorized")
        await point.event("Ended", 2, "09:00:00", 9000, token="SECOND")
        assert (point.session.token_uid, point.session.stopped_by) == ("card", "second")
        assert billed(point) == 8000


async def test_connectors_are_numbered_within_their_evse(scene: Scene) -> None:
    """Connector 1 of EVSE 2 is not connector 1 of EVSE 1: one being free ends nothing at the other."""
    async with scene.newcomer("ocpp2.0.1", evses=2).online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD", evse=1)
        await point.status("Occupied", "08:00:00", number=1)
        await point.status("Available", "08:30:00", number=2)
        first, second = sorted(point.look("evses", station_id=point.station_id), key=lambda one: one.number)
        assert [one.status for one in point.look("connectors", evse_id=first.evse_id)] == ["Occupied"]
        assert [one.status for one in point.look("connectors", evse_id=second.evse_id)] == ["Available"]


async def test_a_transaction_without_any_meter_value_is_held_and_not_billed_as_nothing(scene: Scene) -> None:
    """Stations send none until they are told which: an hour of charging is not 0 kWh."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", token="CARD")
        await point.event("Ended", 1, "09:00:00", evse=None)
        assert point.session.state is SessionState.HELD
        assert "missing_energy" in point.inbox()


async def test_sequence_numbers_that_are_always_zero_are_no_gap(scene: Scene) -> None:
    """Such a station loses nothing; it does not count."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Updated", 0, "08:30:00", 5000)
        await point.event("Ended", 0, "09:00:00", 9000)
        assert billed(point) == 8000
        assert point.commands() == []


async def test_a_gap_in_the_sequence_asks_the_station_and_the_bill_waits_for_its_queue(scene: Scene) -> None:
    """An Ended that overtakes its queue: what is still to come belongs on the bill, and closing it would lose that."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Ended", 3, "09:00:00", 9000)
        assert point.session.state is SessionState.ENDED
        assert [(one.action, one.payload["transaction_id"]) for one in point.commands()] == [
            ("transaction_status", "T1")
        ]
        await point.event("Updated", 2, "08:40:00", 6000)
        assert point.session.state is SessionState.ENDED
        await point.event("Updated", 1, "08:20:00", 3000)
        assert billed(point) == 8000
        assert len(point.readings()) == 4


async def test_kilowatt_hours_that_are_watt_hours_and_an_end_without_unit_are_two_scales(scene: Scene) -> None:
    """One session, periodic values labelled kWh, and an Ended in Wh: the sum of both would be nonsense."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Updated", 1, "08:30:00", 5000, unit={"unit": "kWh"})
        await point.event("Ended", 2, "09:00:00", 9000)
        assert point.session.state is SessionState.HELD
        assert point.session.rated_id is None


async def test_a_remote_start_may_be_told_without_a_token(scene: Scene) -> None:
    """The Started event names the request alone."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        wanted = CommandStation(point.id, Action.START, {"tag": "CARD"})
        asked = scene.do(command_station, wanted)
        await point.event("Started", 0, "08:00:00", 1000, info={"remoteStartId": asked.remote_start_id})
        await point.event("Ended", 1, "09:00:00", 9000)
        assert (billed(point), point.session.payer) == (8000, PayerKind.CUSTOMER)


async def test_an_ended_that_never_comes_is_presumed_and_a_late_one_is_still_good(scene: Scene) -> None:
    """A session that ended while its station was offline may never be told; until then it is held, not closed."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Updated", 1, "08:30:00", 5000)
        scene.do(lose_stop, LoseStop(point.session.session_id))
        assert (point.session.state, point.wh) == (SessionState.HELD, 4000)
        assert point.session.transaction_ended_at is None
        await point.event("Updated", 2, "08:45:00", 7000)
        await point.event("Ended", 3, "09:00:00", 9000)
        assert billed(point) == 8000
        assert point.inbox() == {}


async def test_the_cost_that_a_station_shows_is_the_one_of_the_invoice(scene: Scene) -> None:
    """Two price engines never agree: there is one."""
    async with scene.newcomer("ocpp2.0.1").online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        answer = await point.event("Ended", 1, "09:00:00", 9000)
        [invoice] = point.look("invoices", session_id=point.session.session_id)
        assert answer["totalCost"] == 4.00
        assert invoice.gross_minor == 400


# --- the three ends ---


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize(
    ("ending", "left"),
    [
        pytest.param({"info": {"stoppedReason": "EVDisconnected"}}, True, id="the cable was pulled"),
        pytest.param({"info": {"chargingState": "Idle"}}, True, id="nobody is plugged in"),
        pytest.param({"info": {"stoppedReason": "Local", "chargingState": "EVConnected"}}, False, id="still there"),
    ],
)
async def test_an_ended_that_covers_the_occupancy_ends_it_and_another_one_does_not(
    scene: Scene, protocol: str, ending: dict[str, Any], left: bool
) -> None:
    """Where the transaction stops when the vehicle leaves, no Available has to be waited for."""
    async with scene.newcomer(protocol).online() as point:
        await point.event("Started", 0, "08:00:00", 1000, token="CARD")
        await point.event("Ended", 1, "09:00:00", 9000, **ending)
        session = point.session
        assert session.transaction_ended_at is not None
        assert (session.occupancy_ended_at == session.transaction_ended_at) is left


async def test_everything_that_was_told_here_adds_up(scene: Scene) -> None:
    """The audit reads the frames of all these stories by its own code."""
    report = await asyncio.to_thread(scene.audited)
    assert report.findings == ()
    assert report.unexplained == 0
