"""The gateway as a station sees it, from the first byte to the last."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tallywatt.adapters.ocpp import connection as connection_module
from tallywatt.adapters.ocpp.server import GatewayOptions
from tallywatt.kernel.errors import Broken, Busy
from tallywatt.metering.facts import Booted, Sampled, Started, Stopped, TokenShown, Unreadable
from tallywatt.stations.credentials import Knocked, hash_key
from tallywatt.stations.station import StationState
from tests.adapters.ocpp.conftest import say
from tests.adapters.ocpp.house import KEY, NOW, PEPPER, Neighbours, Told, a_credential, basic

if TYPE_CHECKING:
    from tests.adapters.ocpp.conftest import House

AT = "2018-08-24T08:15:00Z"
START = {"connectorId": 1, "idTag": "CARD", "meterStart": 10, "timestamp": AT}
VALUES = {"connectorId": 1, "transactionId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "12"}]}]}
STOP = {"transactionId": 1, "meterStop": 15, "timestamp": AT}
QUARANTINED = StationState.QUARANTINED


async def until(is_so: Any) -> None:
    """Wait for something that happens on another task or thread."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  # what happens on another thread sets no event here
            await asyncio.sleep(0.005)


# --- the door ---


async def test_a_port_that_is_taken_is_named_with_what_to_do(house: House) -> None:
    """Two servers on one machine: the second says which setting helps."""
    with pytest.raises(Broken, match="cannot be opened for stations") as refused:
        await house.another_gateway().start("127.0.0.1", house.gateway.port)
    assert refused.value.code == "serve.port_taken"
    assert "TALLYWATT_OCPP_PORT" in (refused.value.remedy or "")


@pytest.mark.parametrize("path", ["/ocpp/CP1", "/ocpp/op/CP1", "/ocpp/op/CP1/", "/ocpp/op/C%501"])
async def test_a_station_is_let_in_by_its_own_id_and_key(house: House, path: str) -> None:
    """By the long URL, the short one, and with an id that is percent-encoded."""
    async with house.station(path=path) as socket:
        assert socket.subprotocol == "ocpp1.6"
        assert house.gateway.connected() == {"id-of-CP1"}


async def test_a_key_may_be_shown_as_hex_or_as_its_bytes(house: House) -> None:
    """OCPP 1.6 sets the AuthorizationKey as hex; some stations send the bytes, some the digits."""
    key = "00ff3a80c0de00ff3a80c0de00ff3a80"
    house.neighbours.credentials.append(a_credential("HEX", key=key))
    for shown in (key, key.upper(), bytes.fromhex(key)):
        async with house.station("HEX", additional_headers=basic("HEX", shown)) as socket:
            assert (await say(socket, 2, "1", "Heartbeat", {}))[0] == 3


@pytest.mark.parametrize(
    "headers", [{}, basic("CP1", "wrong-wrong-wrong"), basic("CP2"), {"Authorization": "Basic ???"}]
)
async def test_a_known_station_without_its_key_stays_outside(house: House, headers: dict[str, str]) -> None:
    """The answer says how to do it right."""
    with pytest.raises(InvalidStatus) as refused:
        async with house.station(additional_headers=headers):
            pass
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert house.told.commands == []


@pytest.mark.parametrize("path", ["/", "/ocpp", "/ocpp/a/b/c", "/ocpp/nobody/CP1", "/ocpp/RETIRED"])
async def test_what_is_not_here_is_not_found(house: House, path: str) -> None:
    """An unknown operator, a retired station, another page."""
    house.neighbours.credentials.append(a_credential("RETIRED", state=StationState.RETIRED))
    with pytest.raises(InvalidStatus) as refused:
        async with house.station(path=path):
            pass
    assert refused.value.response.status_code == 404


async def test_the_short_url_knows_no_stranger_where_there_are_several_operators(house: House) -> None:
    """Nobody can say whose quarantine it would enter."""
    house.neighbours.operators = ("op", "other")
    with pytest.raises(InvalidStatus) as refused:
        async with house.station("STRANGER"):
            pass
    assert refused.value.response.status_code == 404


async def test_a_directory_that_fails_closes_the_door_for_a_while(house: House) -> None:
    """And says nothing of what went wrong inside."""

    class Burning(Neighbours):
        def find(self, operator_slug: str | None, identity: str) -> None:
            msg = f"secret of {operator_slug} and {identity}"
            raise RuntimeError(msg)

    house.gateway._directory = Burning()
    with pytest.raises(InvalidStatus) as refused:
        async with house.station():
            pass
    assert refused.value.response.status_code == 503
    assert b"secret" not in (refused.value.response.body or b"")


async def raw_upgrade(house: House, *headers: str) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    """The answer to a hand-written upgrade request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.gateway.port)
    lines = [
        "GET /ocpp/CP1 HTTP/1.1",
        "Host: x",
        f"Authorization: {basic('CP1')['Authorization']}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    return await reader.readuntil(b"\r\n\r\n"), reader, writer


@pytest.mark.parametrize(
    "headers", [("Connection: keep-alive, Upgrade", "Upgrade: websocket"), ("Connection: Upgrade",), ()], ids=str
)
async def test_unusual_upgrade_headers_are_understood(house: House, headers: tuple[str, ...]) -> None:
    """The list of tokens is valid; a station without the Upgrade header exists too (lbbrhzn/ocpp 442)."""
    answer, _, writer = await raw_upgrade(house, *headers)
    assert answer.startswith(b"HTTP/1.1 101 ")
    writer.close()


async def test_compression_is_refused(house: House) -> None:
    """It costs 35 kB a connection and saves a few bytes a minute; stations that ask for it work without."""
    answer, reader, writer = await raw_upgrade(
        house, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Extensions: permessage-deflate"
    )
    assert b"sec-websocket-extensions" not in answer.lower()
    writer.write(bytes([0xC1, 0x80, 0, 0, 0, 0]))  # a text frame with the bit that means "compressed"
    assert (await reader.readexactly(4))[2:] == (1002).to_bytes(2, "big")
    writer.close()


async def test_a_station_without_subprotocol_speaks_the_default(house: House) -> None:
    """The header is missing on real stations (steve 135 and 1109)."""
    async with house.station(protocol=None) as socket:
        assert socket.subprotocol is None
        assert (await say(socket, 2, "1", "StartTransaction", START))[0] == 3
    await house.gateway.stop()
    house.options = GatewayOptions(default_protocol="ocpp2.0.1")
    house.gateway = house.another_gateway()
    await house.gateway.start("127.0.0.1", 0)
    async with house.station(protocol=None) as socket:
        assert (await say(socket, 2, "1", "StartTransaction", START))[2] == "NotImplemented"


async def test_an_unknown_subprotocol_ends_in_a_handshake_without_one(house: House) -> None:
    """OCPP-J 1.6, section 3.2: answer without a subprotocol, then close."""
    answer, reader, writer = await raw_upgrade(
        house, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Protocol: ocpp1.5"
    )
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-protocol" not in answer.lower()
    assert (await reader.readexactly(1))[0] == 0x88
    writer.close()


# --- messages ---


async def test_nothing_is_answered_before_it_is_durable(house: House) -> None:
    """Commit before you answer: a station that was answered forgets what it said."""
    house.writer.open = False
    async with house.station() as socket:
        for action, payload in (("StartTransaction", START), ("MeterValues", VALUES), ("StopTransaction", STOP)):
            await socket.send(json.dumps([2, action, action, payload]))
        # The heartbeat overtakes what waits for its commit.
        assert (await say(socket, 2, "h", "Heartbeat", {}))[1] == "h"
        assert len(house.writer.orders) == 3
        house.writer.let()
        answers = [json.loads(await socket.recv())[1] for _ in range(3)]
    assert answers == ["StartTransaction", "MeterValues", "StopTransaction"]


async def test_a_message_may_come_in_fragments(house: House) -> None:
    """Also with a ping between them."""
    async with house.station() as socket:
        text = json.dumps([2, "1", "StartTransaction", START])
        await socket.send([text[:10], text[10:11], text[11:]])
        assert json.loads(await socket.recv())[0] == 3

        async def slowly() -> Any:
            yield text[:20]
            await (await socket.ping())
            yield text[20:]

        await socket.send(slowly())
        assert json.loads(await socket.recv())[0] == 3
    assert house.told.commands[0].heard.payload.decode() == text


async def test_a_message_may_come_as_binary(house: House) -> None:
    """Seen from firmware that does not tell the two kinds of frames apart."""
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "Heartbeat", {}]).encode())
        assert json.loads(await socket.recv())[0] == 3


@pytest.mark.parametrize("in_fragments", [True, False])
async def test_more_than_a_mebibyte_is_too_much(house: House, in_fragments: bool) -> None:
    """A message of a few kilobytes is large; memory is not a station's to fill."""
    async with house.station() as socket:
        await socket.send(["x" * 400_000] * 3 if in_fragments else "x" * 1_100_000)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_just_under_a_mebibyte_is_taken(house: House) -> None:
    """A replay of a long offline session is one message in OCPP 1.6."""
    data = [{"timestamp": AT, "sampledValue": [{"value": str(number)}]} for number in range(13_500)]
    async with house.station() as socket:
        assert (await say(socket, 2, "1", "StopTransaction", {**STOP, "transactionData": data}))[0] == 3
    assert len(house.told.commands[0].samples) == 13_500


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([2, "1", "MakeCoffee", {}], "NotImplemented"),
        ([2, "1", "Reset", {}], "NotSupported"),
        ([2, "1", "TransactionEvent", {}], "NotImplemented"),
        ([2, "1", "FirmwareStatusNotification", {"status": "Perhaps"}], "PropertyConstraintViolation"),
        ([2, "1", "FirmwareStatusNotification", {"status": 7}], "TypeConstraintViolation"),
        ([2, "1", "FirmwareStatusNotification", {}], "OccurenceConstraintViolation"),
        ([2, "1", "FirmwareStatusNotification", []], "FormationViolation"),
        ([2, "1", "StatusNotification", {"status": "Available"}], "FormationViolation"),
        ([2, "1", "Authorize", {}], "FormationViolation"),
    ],
    ids=str,
)
async def test_what_cannot_be_taken_is_refused_by_its_proper_code(house: House, message: list[Any], code: str) -> None:
    """And the socket stays."""
    async with house.station() as socket:
        assert (await say(socket, *message))[:3] == [4, "1", code]
        assert (await say(socket, 2, "2", "Heartbeat", {}))[:2] == [3, "2"]


@pytest.mark.parametrize(
    "text", ['[9,"1","x",{}]', '[6,"1","x",{}]', '[5,"1","x","",{}]', "hello", "[]", "{", '[3,"1",{}]', '[4,"1"]']
)
async def test_what_has_no_answer_is_ignored_and_the_socket_stays(house: House, text: str) -> None:
    """Unknown message types, answers that nobody waits for, noise."""
    async with house.station() as socket:
        await socket.send(text)
        assert (await say(socket, 2, "2", "Heartbeat", {}))[:2] == [3, "2"]


async def test_2_0_1_hears_that_its_message_had_no_id(house: House) -> None:
    """Its errors have an id for that; 1.6 has none."""
    async with house.station(protocol="ocpp2.0.1") as socket:
        await socket.send("hello")
        assert json.loads(await socket.recv())[:3] == [4, "-1", "RpcFrameworkError"]


async def test_broken_json_without_money_in_it_is_refused(house: House) -> None:
    """The id can be read, so the station hears which message it was."""
    async with house.station() as socket:
        await socket.send('[2,"77","StatusNotification",{"connectorId":1')
        assert json.loads(await socket.recv())[:3] == [4, "77", "FormationViolation"]


@pytest.mark.parametrize("action", ["StartTransaction", "StopTransaction", "MeterValues"])
async def test_broken_json_with_money_in_it_is_kept_and_acknowledged(house: House, action: str) -> None:
    """It goes to a person with the frame as it came; refused, it might be lost."""
    async with house.station() as socket:
        await socket.send(f'[2,"77","{action}",{{"transactionId":1,')
        answer = json.loads(await socket.recv())
    assert answer[:2] == [3, "77"]
    (command,) = house.told.commands
    assert isinstance(command, Unreadable)
    assert command.heard.payload.decode() == f'[2,"77","{action}",{{"transactionId":1,'
    assert command.heard.action == action
    assert answer[2].get("transactionId", 1) > 0


async def test_a_start_that_nothing_can_acknowledge_is_refused(house: House) -> None:
    """Without a transaction id there is nothing to say; 0 would be worse (OCPP.Core 55)."""
    house.told.has_no_answer = True
    async with house.station() as socket:
        await socket.send('[2,"77","StartTransaction",{"transactionId":1,')
        assert json.loads(await socket.recv())[:3] == [4, "77", "FormationViolation"]


async def test_a_schema_violation_in_a_billing_message_is_recorded_flagged_and_acknowledged(house: House) -> None:
    """Never a CALLERROR for money or energy."""
    async with house.station() as socket:
        wrong = {**START, "idTag": "X" * 36, "meterStart": "10", "connectorId": 10**40}
        answer = await say(socket, 2, "1", "StartTransaction", wrong)
    assert answer[0] == 3
    (started,) = house.told.commands
    assert (started.token_uid, started.meter_start, started.evse_number) == ("X" * 36, 10_000, None)
    assert started.heard.flags == ("schema",)


async def test_letters_of_another_alphabet_do_not_lose_a_session(house: House) -> None:
    """A text that is not UTF-8, a NUL, a number for an id: what can be read is taken."""
    async with house.station() as socket:
        text = b'[2,17,"StartTransaction",{"connectorId":1,"idTag":"J\xfcrgen\\u0000","meterStart":10,"timestamp":"x"}]'
        await socket.send(text)
        assert json.loads(await socket.recv())[:2] == [3, 17]
    (started,) = house.told.commands
    assert started.token_uid == "J\N{REPLACEMENT CHARACTER}rgen"
    assert started.at == NOW
    assert set(started.heard.flags) == {"schema", "time_unreadable"}
    assert started.heard.payload == text


async def test_a_bug_in_a_workflow_sends_money_to_the_inbox_and_the_station_is_answered(house: House) -> None:
    """An unanswered stop holds back all that the station has to say (OCPP.Core 31)."""
    house.told.fails_on = (Stopped, TokenShown)
    async with house.station() as socket:
        assert (await say(socket, 2, "1", "StopTransaction", STOP))[:2] == [3, "1"]
        assert (await say(socket, 2, "2", "Authorize", {"idTag": "A"}))[:3] == [4, "2", "InternalError"]
    stopped, unreadable, _ = house.told.commands
    assert isinstance(stopped, Stopped)
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.transaction_id, unreadable.heard.payload) == ("1", stopped.heard.payload)


async def test_a_boot_that_cannot_be_kept_is_put_off_and_not_refused(house: House) -> None:
    """After an error a station may never boot again, and holds back all that it has to say; Pending names the moment."""
    house.told.fails_on = (Booted,)
    house.told.fails_with = Busy("the disk is full", code="storage.unavailable")
    told = {"chargePointVendor": "V", "chargePointModel": "M"}
    async with house.station() as socket:
        kind, _, answer = await say(socket, 2, "1", "BootNotification", told)
        assert (kind, answer["status"]) == (3, "Pending")
        assert answer["interval"] > 0
        house.told.fails_on = ()
        assert (await say(socket, 2, "2", "BootNotification", told))[2]["status"] == "Accepted"


async def test_what_can_be_kept_nowhere_is_not_acknowledged(house: House) -> None:
    """The disk is full: the station keeps its stop and says it again; what only informs hears of the error."""
    house.told.fails_on = (Stopped, Unreadable)
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "StopTransaction", STOP]))
        await until(lambda: len(house.told.commands) == 2)
        assert (await say(socket, 2, "2", "Heartbeat", {}))[1] == "2"
        house.told.fails_on = ()
        assert (await say(socket, 2, "3", "StopTransaction", STOP))[:2] == [3, "3"]


async def test_a_full_disk_makes_no_inbox_item_of_a_good_fact(house: House) -> None:
    """A start that went to the inbox was acknowledged without a session, and what came after it belonged to none."""
    house.told.fails_on = (Stopped,)
    house.told.fails_with = Busy("the disk is full", code="storage.unavailable")
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "StopTransaction", STOP]))
        await until(lambda: len(house.told.commands) == 1)
        assert (await say(socket, 2, "2", "Heartbeat", {}))[1] == "2"
        house.told.fails_on = ()
        assert (await say(socket, 2, "3", "StopTransaction", STOP))[:2] == [3, "3"]
    assert house.told.of(Unreadable) == []


async def test_a_busy_writer_delays_and_never_refuses_or_reorders(house: House) -> None:
    """A CALLERROR would make many stations drop what they wanted to say."""
    house.writer.busy = 3
    async with house.station() as socket:
        for action, payload in (("StartTransaction", START), ("MeterValues", VALUES), ("StopTransaction", STOP)):
            await socket.send(json.dumps([2, action, action, payload]))
        answers = [json.loads(await socket.recv())[:2] for _ in range(3)]
    assert answers == [[3, "StartTransaction"], [3, "MeterValues"], [3, "StopTransaction"]]
    assert [type(one) for one in house.told.commands] == [Started, Sampled, Stopped]
    assert house.gateway.busy_refusals == 3


async def test_what_only_informs_waits_a_while_for_a_busy_writer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the station hears that it should try again; money behind it keeps its place."""
    monkeypatch.setattr(connection_module, "PATIENCE_SECONDS", 0.05)
    house.writer.busy = 4
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "Authorize", {"idTag": "A"}]))
        await socket.send(json.dumps([2, "2", "StopTransaction", STOP]))
        assert json.loads(await socket.recv())[:3] == [4, "1", "InternalError"]
        assert json.loads(await socket.recv())[:2] == [3, "2"]


async def test_a_fact_is_kept_though_its_socket_is_gone(house: House) -> None:
    """The station may have forgotten it already; the natural key takes care of a resend."""
    house.writer.busy = 2
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "StopTransaction", STOP]))
        await until(lambda: house.writer.busy < 2)
    await until(lambda: len(house.told.commands) == 1)
    assert [type(one) for one in house.told.commands] == [Stopped]


async def test_a_station_that_floods_is_read_no_further(house: House) -> None:
    """OCPP allows one call at a time: what comes beyond a few dozen waits in the network, not in our memory."""
    house.writer.open = False
    async with house.station() as socket:
        for number in range(400):
            await socket.send(json.dumps([2, str(number), "MeterValues", VALUES]))
        await asyncio.sleep(0.1)
        held = len(house.writer.orders)
        assert connection_module.MOST_UNANSWERED <= held < 200
        house.writer.let()
        answers = [json.loads(await socket.recv())[1] for _ in range(400)]
    assert answers == [str(number) for number in range(400)]


# --- sockets ---


async def test_the_newest_socket_wins_and_the_late_end_of_the_old_one_does_not_matter(house: House) -> None:
    """ocpp-go 314 and 358: the clean-up of the old socket cut off the new one."""
    async with house.station() as old, house.station() as new:
        with pytest.raises(ConnectionClosed) as closed:
            await old.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        await old.wait_closed()
        assert house.gateway.connected() == {"id-of-CP1"}
        assert (await say(new, 2, "1", "Heartbeat", {}))[0] == 3
    await until(lambda: house.gateway.connected() == frozenset())


async def test_a_silent_station_is_pinged_and_a_dead_one_cut_off(house: House) -> None:
    """A socket that nobody is behind would keep commands waiting for their deadline."""
    house.options = GatewayOptions(ping_after_seconds=0.08, silence_seconds=0.3)
    await house.gateway.stop()
    house.gateway = house.another_gateway()
    await house.gateway.start("127.0.0.1", 0)
    async with house.station("CP1", ping_interval=None) as alive:
        answer, reader, writer = await raw_upgrade_of(house, "CP2")
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert (await reader.readexactly(2))[0] == 0x89  # a ping, that this station does not answer
        assert await reader.read() == b""
        writer.close()
        assert house.gateway.connected() == {"id-of-CP1"}
        assert (await say(alive, 2, "1", "Heartbeat", {}))[0] == 3


async def raw_upgrade_of(house: House, identity: str) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.gateway.port)
    writer.write(
        f"GET /ocpp/{identity} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Authorization: {basic(identity)['Authorization']}\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return await reader.readuntil(b"\r\n\r\n"), reader, writer


async def test_stopping_answers_what_is_on_its_way_and_takes_nothing_new(house: House) -> None:
    """A restart in the middle of a stop costs the station nothing."""
    house.writer.open = False
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "StopTransaction", STOP]))
        await until(lambda: len(house.writer.orders) == 1)
        stopping = asyncio.create_task(house.gateway.stop(grace_seconds=3))
        await asyncio.sleep(0.05)
        house.writer.let()
        assert json.loads(await socket.recv())[:2] == [3, "1"]
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        await stopping


async def test_stopping_does_not_wait_for_ever(house: House) -> None:
    """What was not answered was not acknowledged: the station says it again."""
    house.writer.open = False
    async with house.station() as socket:
        await socket.send(json.dumps([2, "1", "StopTransaction", STOP]))
        await until(lambda: len(house.writer.orders) == 1)
        async with asyncio.timeout(30):
            await house.gateway.stop(grace_seconds=0.1)
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_the_snapshot_says_who_is_there_and_was_heard_when(house: House) -> None:
    """Heartbeats are written nowhere: this is where they are seen."""
    async with house.station() as socket:
        await say(socket, 2, "1", "Heartbeat", {})
        (seen,) = house.gateway.seen()
    assert (seen.station_id, seen.identity, seen.protocol, seen.last_heard_at) == ("id-of-CP1", "CP1", "ocpp1.6", NOW)
    assert seen.remote_address == "127.0.0.1"
    assert house.told.commands == []


# --- the quarantine ---


async def test_an_unknown_station_is_quarantined_and_boots_into_pending(house: House) -> None:
    """It is listed and waits; none of its facts is taken, and none acknowledged, so it will tell them when it is accepted."""
    house.told.knocked_as = a_credential("NEW", state=QUARANTINED)
    async with house.station("NEW") as socket:
        boot = await say(socket, 2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        assert boot[2]["status"] == "Pending"
        assert (await say(socket, 2, "2", "Heartbeat", {}))[0] == 3
        status = {"connectorId": 1, "status": "Available", "errorCode": "NoError"}
        assert (await say(socket, 2, "3", "StatusNotification", status))[:3] == [4, "3", "SecurityError"]
        await socket.send(json.dumps([2, "4", "StartTransaction", START]))
        await socket.send('[2,"5","StopTransaction",{"transactionId":1,')
        assert (await say(socket, 2, "6", "Heartbeat", {}))[1] == "6"
        assert house.gateway.connected() == frozenset()
        assert [one.identity for one in house.gateway.seen()] == ["NEW"]
    knocked, booted = house.told.commands
    assert knocked == Knocked("NEW", hash_key(KEY, PEPPER), NOW)
    assert isinstance(booted, Booted)


async def test_an_adopted_station_is_let_in_at_its_next_boot(house: House) -> None:
    """One click on the console; its socket stays."""
    house.told.knocked_as = a_credential("NEW", state=QUARANTINED)
    async with house.station("NEW") as socket:
        boot = [2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]
        assert (await say(socket, *boot))[2]["status"] == "Pending"
        house.neighbours.credentials.append(a_credential("NEW", key="the key of another one"))
        assert (await say(socket, *boot))[2]["status"] == "Pending"
        house.neighbours.credentials[-1] = a_credential("NEW")
        assert (await say(socket, *boot))[2]["status"] == "Accepted"
        assert house.gateway.connected() == {"id-of-NEW"}
        assert (await say(socket, 2, "2", "StartTransaction", START))[0] == 3


async def test_a_station_in_quarantine_knocks_once_for_each_key(house: House) -> None:
    """It comes back every few seconds; only another key is news."""
    house.neighbours.credentials.append(a_credential("NEW", state=QUARANTINED))
    house.told.knocked_as = house.neighbours.credentials[-1]
    for key in (KEY, KEY, "another-key-for-it"):
        async with house.station("NEW", additional_headers=basic("NEW", key)) as socket:
            await say(socket, 2, "1", "Heartbeat", {})
    assert [one.key_hash for one in house.told.of(Knocked)] == [hash_key("another-key-for-it", PEPPER)]


async def test_a_knock_that_is_not_welcome_ends_the_socket(house: House) -> None:
    """The workflow may say no."""
    house.told.knocked_as = None
    async with house.station("NEW") as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_the_quarantine_has_a_bound(house: House) -> None:
    """Anybody can open sockets; they must not crowd out the stations that pay."""
    await house.gateway.stop()
    house.options = GatewayOptions(most_quarantined=1)
    house.gateway = house.another_gateway()
    await house.gateway.start("127.0.0.1", 0)
    house.told.knocked_as = a_credential("NEW", state=QUARANTINED)
    async with house.station("NEW", additional_headers={}) as socket:
        await say(socket, 2, "1", "Heartbeat", {})
        with pytest.raises(InvalidStatus) as refused:
            async with house.station("NEWER"):
                pass
        assert refused.value.response.status_code == 503
        async with house.station("CP1") as known:
            assert (await say(known, 2, "1", "Heartbeat", {}))[0] == 3
    assert house.told.of(Knocked)[0].key_hash is None


async def test_a_stranger_cannot_pile_up_messages_at_the_door(house: House) -> None:
    """Until its knock is written down there is nothing that it could tell."""
    house.writer.open = False
    async with house.station("NEW") as socket:
        for _ in range(connection_module.MOST_HELD + 1):
            await socket.send(json.dumps([2, "1", "Heartbeat", {}]))
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_station_can_be_sent_away_to_come_back(house: House) -> None:
    """After an adoption, a retirement or another key."""
    async with house.station() as socket:
        house.gateway.disconnect("id-of-CP1")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    house.gateway.disconnect("nobody")


def test_the_intake_of_the_tests_is_whole() -> None:
    """Every workflow that the gateway names has a stand-in."""
    intake = Told().intake()
    assert all(callable(getattr(intake, name)) for name in intake.__slots__)
