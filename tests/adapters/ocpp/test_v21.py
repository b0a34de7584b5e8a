"""OCPP 2.1: two more kinds of frame, and every answer of ours as the schemas of each version want it."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tallywatt.adapters.ocpp.messages import DIALECTS
from tallywatt.metering.facts import Sampled
from tallywatt.stations.command import Action
from tests.adapters.ocpp.conftest import say
from tests.adapters.ocpp.house import basic
from tests.adapters.ocpp.test_commands import a_command, ask

if TYPE_CHECKING:
    from tests.adapters.ocpp.conftest import House

EVENT: dict[str, Any] = {
    "eventType": "Updated",
    "timestamp": "2026-11-20T08:00:00Z",
    "triggerReason": "MeterValuePeriodic",
    "seqNo": 1,
    "transactionInfo": {"transactionId": "T1"},
}


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        (["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], "ocpp2.1"),
        (["ocpp3.0", "ocpp2.1"], "ocpp2.1"),
        (["ocpp2.0.1", "ocpp2.1"], "ocpp2.0.1"),
    ],
)
async def test_the_first_version_that_both_speak_is_spoken(house: House, offers: list[str], chosen: str) -> None:
    """The station's order is its preference."""
    url, wanted = house.url("/ocpp/CP1"), [Subprotocol(one) for one in offers]
    async with connect(url, subprotocols=wanted, additional_headers=basic("CP1")) as socket:
        assert socket.subprotocol == chosen


@pytest.mark.parametrize(
    "text",
    [
        '[6,"s1","NotifyPeriodicEventStream",{"id":1,"pending":0,"basetime":"2026-11-20T08:00:00Z","data":[]}]',
        '[6,"s1","NotifyPeriodicEventStream",{"no":"such field"}]',
        '[6,"s1","Heartbeat",{}]',
        '[6,"s1","NobodyKnowsThis",{}]',
        '[6,"s1"]',
        '[6,"s1","TransactionEvent",{"half":',
    ],
)
async def test_a_send_is_never_answered(house: House, text: str) -> None:
    """Whatever is in it: an answer would be taken for that of another message."""
    async with house.station(protocol="ocpp2.1") as socket:
        await socket.send(text)
        assert (await say(socket, 2, "1", "Heartbeat", {}))[:2] == [3, "1"]


async def test_money_and_energy_in_a_send_are_taken_and_not_answered(house: House) -> None:
    """It is not where they belong; they are lost nowhere."""
    async with house.station(protocol="ocpp2.1") as socket:
        await socket.send(json.dumps([6, "s1", "TransactionEvent", EVENT]))
        assert (await say(socket, 2, "1", "Heartbeat", {}))[:2] == [3, "1"]
        assert (await say(socket, 2, "2", "TransactionEvent", EVENT))[:2] == [3, "2"]
    assert [one.heard.message_id for one in house.told.of(Sampled)] == ["s1", "2"]


async def test_an_answer_of_ours_that_a_station_cannot_use_changes_nothing(house: House) -> None:
    """A CALLRESULTERROR is no question, and has no answer."""
    async with house.station(protocol="ocpp2.1") as socket:
        await say(socket, 2, "1", "TransactionEvent", EVENT)
        await socket.send('[5,"1","FormatViolation","no",{}]')
        assert (await say(socket, 2, "2", "Heartbeat", {}))[:2] == [3, "2"]


@pytest.mark.parametrize(("protocol", "hears"), [("ocpp2.1", True), ("ocpp2.0.1", False)])
@pytest.mark.parametrize("answer", ["[]", '{"status":5}', "{"])
async def test_a_result_that_cannot_be_used_is_told_so_in_2_1(
    house: House, protocol: str, hears: bool, answer: str
) -> None:
    """What the station will do stays unknown; the frame that says so exists in 2.1 alone."""
    async with house.station(protocol=protocol) as socket:
        asking = asyncio.create_task(ask(house, a_command(Action.RESET)))
        asked = json.loads(await socket.recv())
        await socket.send(f'[3,"{asked[1]}",{answer}]')
        assert (await asking).outcome == "no_answer"
        if hears:
            assert json.loads(await socket.recv())[:2] == [5, asked[1]]
        assert (await say(socket, 2, "2", "Heartbeat", {}))[:2] == [3, "2"]


async def test_a_message_without_a_readable_id_hears_so_in_2_1(house: House) -> None:
    """Under the id -1."""
    async with house.station(protocol="ocpp2.1") as socket:
        await socket.send("what?")
        assert json.loads(await socket.recv())[:3] == [4, "-1", "RpcFrameworkError"]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda one: one.protocol)
def test_what_is_answered_at_once_keeps_to_the_schema_of_its_answer(dialect: Any) -> None:
    """A station that checks would take anything else for an error."""
    for action, payload in dialect.at_once.items():
        name = f"{action}Response.json"
        text = files("ocpp").joinpath(dialect.schemas, "schemas", name).read_text(encoding="utf-8-sig")
        assert list(jsonschema_rs.validator_for(json.loads(text)).iter_errors(json.loads(payload))) == []
