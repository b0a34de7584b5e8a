"""A card number in any text that a station can send is kept nowhere; the fields come from the schemas of OCPP."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.adapters.machine import WorldDraws
from tallywatt.adapters.ocpp.v16 import DIALECT as V16
from tallywatt.adapters.ocpp.v201 import DIALECT as V201
from tallywatt.adapters.storage.store import Store
from tallywatt.stations.traffic import OF_MACHINES
from tallywatt.workflows.add_customer import AddToken, add_token
from tests.adapters.ocpp.conftest import say
from tests.adapters.ocpp.test_durable import OPERATOR, START, STOP, VALUES, DurableHouse, station
from tests.searched import CARD, SPELLINGS, card_numbers_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.ocpp.facts import Dialect

AT = "2026-11-20T08:00:00Z"


@pytest.fixture
def house(sqlite_house_url: str) -> Iterator[DurableHouse]:
    """One station, one customer, the real writer."""
    built = DurableHouse(Store(sqlite_house_url, WorldDraws().draw, b"k" * 32))
    built.store.start()
    built.furnish()
    yield built
    built.store.close()


def messages(dialect: Dialect) -> dict[str, dict[str, Any]]:
    """The schema of every message that asks for something, whoever sends it by the specification."""
    folder = files("ocpp").joinpath(dialect.schemas, "schemas")
    found = {}
    for one in folder.iterdir():
        action = one.name.removesuffix(".json").removesuffix("Request")
        if not action.endswith("Response"):
            found[action] = json.loads(one.read_text(encoding="utf-8-sig"))
    return found


def filled(schema: dict[str, Any], whole: dict[str, Any], spelling: str, name: str = "") -> Any:
    """A value of a schema, with a card number in each text that is long enough for one."""
    if "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "object")
    if kind == "object":
        told = {one: filled(inner, whole, spelling, one) for one, inner in schema.get("properties", {}).items()}
        return {**told, "vendorId": spelling, "extra": spelling} if name == "customData" else told
    if kind == "array":
        return [filled(schema["items"], whole, spelling, name)]
    if kind != "string":
        return {"integer": 1, "number": 1.5, "boolean": True}[kind]
    if "enum" in schema or schema.get("format") == "date-time":
        return schema.get("enum", [AT])[0]
    return "1" if name in OF_MACHINES or schema.get("maxLength", 1000) < len(spelling) else spelling


@pytest.mark.parametrize("dialect", [V16, V201], ids=["1.6", "2.0.1"])
async def test_no_text_of_any_message_brings_a_card_number_in(house: DurableHouse, dialect: Dialect) -> None:
    """A payment terminal puts one into an idToken, a display into a message, a vendor into its own data."""
    gateway = house.gateway()
    await gateway.start("127.0.0.1", 0)
    spellings = cycle(SPELLINGS)
    carried = 0
    async with station(gateway, protocol=dialect.protocol) as socket:
        for number, (action, schema) in enumerate(sorted(messages(dialect).items())):
            for spelling in (CARD, next(spellings)):
                payload = filled(schema, schema, spelling)
                carried += spelling in json.dumps(payload)
                answer = await say(socket, 2, f"m{number}{spelling is CARD}", action, payload)
                assert answer[0] in {3, 4}, f"{action} was not answered"
        for number, odd in enumerate(({"idTag": int(CARD)}, CARD, [CARD, int(CARD)])):
            answer = await say(socket, 2, f"odd{number}", "StartTransaction", odd)
            assert answer[0] in {3, 4}
    await gateway.stop(grace_seconds=1)
    assert carried > 20, "the schemas have texts"
    assert len(house.rows("SELECT 1 FROM frames")) >= 8, "something was kept"
    assert card_numbers_in(house.store) == []


async def test_who_charges_with_a_number_like_a_cards_stays_one_driver(house: DurableHouse) -> None:
    """The number is not kept, and yet it is known again: in another spelling, as a token of a customer, at the stop."""
    house.do(add_token, AddToken(CARD, "driver"))
    gateway = house.gateway()
    await gateway.start("127.0.0.1", 0)
    async with station(gateway) as socket:
        shown = await say(socket, 2, "a", "Authorize", {"idTag": "4242-4242-4242-4242"})
        assert shown[2]["idTagInfo"]["status"] == "Accepted"
        start = {**START, "idTag": CARD}
        first = await say(socket, 2, "b", "StartTransaction", start)
        again = await say(socket, 2, "c", "StartTransaction", start)
        assert first[2] == again[2]
        transaction = first[2]["transactionId"]
        await say(socket, 2, "d", "MeterValues", {**VALUES, "transactionId": transaction})
        await say(socket, 2, "e", "StopTransaction", {**STOP, "transactionId": transaction, "idTag": CARD})
        other = await say(socket, 2, "f", "Authorize", {"idTag": "4000056655665556"})
        assert other[2]["idTagInfo"]["status"] == "Invalid"
    await gateway.stop(grace_seconds=1)
    [(payer, uid, stopped_by)] = house.rows("SELECT payer, token_uid, stopped_by FROM sessions")
    assert (payer, stopped_by) == ("customer", None)
    assert uid.startswith("card-4242-")
    assert len(uid) == 20, "OCPP 1.6 carries no longer one back"
    assert house.rows(f"SELECT uid FROM tokens WHERE uid_folded = '{uid}'") == [(uid,)]
    assert card_numbers_in(house.store) == []


async def test_another_operator_knows_the_same_card_under_another_name(house: DurableHouse) -> None:
    """Two operators of one installation must not find out by a name that they share a driver."""
    mine = house.do(lambda work, text: work.vault.name_of("card_token", text), CARD)
    theirs = house.store.write_now(
        type(OPERATOR)("01a1fd31-0000-7000-8000-000000000002"),
        lambda work, text: work.vault.name_of("card_token", text),
        CARD,
        actor="test",
    )
    assert mine != theirs
    assert mine == house.do(lambda work, text: work.vault.name_of("card_token", text), CARD)
