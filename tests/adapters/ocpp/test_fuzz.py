"""Any frames at a real socket: whatever looks like a CALL is answered, and nothing that is another station's changes.

`make fuzz FRAMES=100000 SEED=7` sends more of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
from collections import Counter
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog

from tallywatt.adapters.machine import WorldDraws
from tallywatt.adapters.ocpp import schemas, v16, v201
from tallywatt.adapters.storage.store import Store
from tallywatt.stations.credentials import StationCredential, hash_key
from tallywatt.workflows.add_station import AddStation, add_station
from tests.adapters.ocpp.conftest import say
from tests.adapters.ocpp.house import KEY, PEPPER
from tests.adapters.ocpp.test_durable import OPERATOR, START, STOP, VALUES, DurableHouse, station

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

FRAMES: Final = int(os.environ.get("TALLYWATT_FUZZ_FRAMES", "2000"))
SEED: Final = int(os.environ.get("TALLYWATT_FUZZ_SEED", "1"))
AT_ONCE: Final = 16
ANSWER_SECONDS: Final = 60
OTHER: Final = "T-OTHER"
CALL: Final = re.compile(rb'\s*\[\s*2\s*,\s*"([A-Za-z0-9-]{1,36})"\s*[,\]]')
JUNK: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 3, 4, 10**18, -(10**9), 1.5, "", " ", "x", "CARD", OTHER, "1e400", "é", "\U0001f50c",
    "a" * 300, "1970-01-01T00:00:00Z", "2026-11-20T08:00:00", "9999-12-31T23:59:59Z", "4242 4242 4242 4242", "Wh", "Accepted",
    [], {}, [[]], [{}], {"value": "1"}, {"": {}},
)  # fmt: skip
EVENT = {
    "eventType": "Started", "timestamp": "2026-11-20T08:00:00Z", "triggerReason": "CablePluggedIn", "seqNo": 0,
    "transactionInfo": {"transactionId": "T-1"}, "evse": {"id": 1, "connectorId": 1},
    "idToken": {"idToken": "CARD", "type": "ISO14443"},
    "meterValue": [{"timestamp": "2026-11-20T08:00:00Z", "sampledValue": [{"value": 1000}]}],
}  # fmt: skip
GOOD: Final[dict[str, list[tuple[str, dict[str, Any]]]]] = {
    "ocpp1.6": [
        ("StartTransaction", START), ("StopTransaction", STOP), ("MeterValues", VALUES), ("Authorize", {"idTag": "CARD"}),
        ("StatusNotification", {"connectorId": 1, "status": "Charging", "errorCode": "NoError"}),
        ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}), ("Heartbeat", {}),
        ("DataTransfer", {"vendorId": "V"}),
    ],
    "ocpp2.0.1": [
        ("TransactionEvent", EVENT), ("TransactionEvent", {**EVENT, "eventType": "Ended", "seqNo": 2}),
        ("Authorize", {"idToken": {"idToken": "CARD", "type": "ISO14443"}}),
        ("StatusNotification",
         {"timestamp": "2026-11-20T08:00:00Z", "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}),
        ("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}), ("Heartbeat", {}),
        ("MeterValues", {"evseId": 1, "meterValue": EVENT["meterValue"]}),
        ("NotifyEvent", {"generatedAt": "2026-11-20T08:00:00Z", "seqNo": 0, "eventData": []}),
    ],
}  # fmt: skip
ENDS: Final = {"ocpp1.6": "StopTransaction", "ocpp2.0.1": "TransactionEvent"}
DIALECTS: Final = {"ocpp1.6": v16.DIALECT, "ocpp2.0.1": v201.DIALECT}


class Writer:
    """Writes frames that no station should send, always the same ones for a seed."""

    def __init__(self, protocol: str, seed: int) -> None:
        self._protocol, self._chance, self._count = protocol, random.Random(f"{protocol}/{seed}"), 0
        self._actions = [one for one, _ in GOOD[protocol]]
        self._known = sorted(one for one in ACTIONS if schemas.knows(DIALECTS[protocol], one))

    def frame(self) -> bytes:
        """The next one: a good call, one with something wrong in it, or nothing of the kind."""
        self._count += 1
        chance, message_id = self._chance, f"f{self._count}"
        action, payload = chance.choice(GOOD[self._protocol])
        payload = json.loads(json.dumps(payload))
        wrong = chance.randrange(8)
        if wrong in {1, 2, 3}:
            for _ in range(chance.randrange(1, 4)):
                self._spoil(payload)
        message: Any = [2, message_id, action, payload]
        if wrong == 4:
            message = [
                2,
                message_id,
                chance.choice([*self._known, "NoSuchAction", ""]),
                chance.choice([payload, *JUNK]),
            ]
        elif wrong == 5:
            message[chance.randrange(4)] = chance.choice(JUNK)
        elif wrong == 6:
            message = chance.choice(
                [message[: chance.randrange(4)], [*message, chance.choice(JUNK)], chance.choice(JUNK)]
            )
        text = json.dumps(message, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        return self._cut(text) if wrong == 7 else text

    def _spoil(self, value: Any) -> None:
        """Somewhere inside, something is left out, added or of another kind."""
        while isinstance(value, (dict, list)) and value:
            place = self._chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
            inner = value[place]
            if isinstance(inner, (dict, list)) and inner and self._chance.random() < 0.7:
                value = inner
                continue
            match self._chance.randrange(4):
                case 0:
                    del value[place]
                case 1 if isinstance(value, dict):
                    value[self._chance.choice(["transactionId", "extra", "idTag", "connectorId", ""])] = self._junk()
                case _:
                    value[place] = self._junk()
            return

    def _junk(self) -> Any:
        # A copy: what is spoiled once more must not change what comes later, nor hold itself.
        return deepcopy(self._chance.choice(JUNK))

    def _cut(self, text: bytes) -> bytes:
        """Bytes lost, doubled, or turned on the way."""
        chance = self._chance
        at = chance.randrange(len(text))
        return chance.choice(
            [
                text[:at],
                text[at:],
                text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :],
                text[:at] + text[:at],
                text[:at] + b"[" * chance.randrange(1, 2000) + text[at:],
                chance.randbytes(at),
            ]
        )


ACTIONS: Final = (
    "FirmwareStatusNotification", "DiagnosticsStatusNotification", "SecurityEventNotification", "SignCertificate",
    "LogStatusNotification", "NotifyReport", "NotifyMonitoringReport", "ReportChargingProfiles", "ClearedChargingLimit",
    "Get15118EVCertificate", "GetCertificateStatus", "NotifyCustomerInformation", "NotifyDisplayMessages", "PublishFirmware",
    "NotifyEVChargingNeeds", "ReservationStatusUpdate", "RemoteStartTransaction", "Reset", "TransactionEvent",
    "StartTransaction",
)  # fmt: skip


def asks(text: bytes) -> str | None:
    """The id, as JSON, under which a station waits for an answer to this; None when it cannot wait for any."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        found = CALL.match(text)
        return None if found is None else json.dumps(found[1].decode())
    if not isinstance(message, list) or len(message) < 2 or message[0] != 2 or isinstance(message[0], (bool, float)):
        return None
    message_id = message[1]
    bounded = isinstance(message_id, str) and 0 < len(message_id) <= 255
    numbered = type(message_id) is int and abs(message_id) < 10**18
    return json.dumps(message_id) if bounded or numbered else None


async def told(socket: ClientConnection, frames: list[bytes]) -> None:
    """Send frames and wait until each that asks has its answer."""
    waits = Counter(asked for text in frames if (asked := asks(text)) is not None)
    for text in frames:
        await socket.send(text)
    while waits:
        answer = json.loads(await asyncio.wait_for(socket.recv(), ANSWER_SECONDS))
        assert answer[0] in {3, 4}, answer
        waits -= Counter([json.dumps(answer[1])])


def kept(house: DurableHouse, station_id: str) -> list[Any]:
    """All that is stored of a station's sessions."""
    mine = f"station_id = '{station_id}'"
    of_session = f"session_id IN (SELECT session_id FROM sessions WHERE {mine})"
    return [
        house.rows(f"SELECT * FROM {table} WHERE {where} ORDER BY 1, 2, 3, 4")
        for table, where in (
            ("sessions", mine), ("frames", mine), ("meter_readings", of_session), ("station_facts", of_session),
            ("events", f"aggregate_id IN (SELECT session_id FROM sessions WHERE {mine})"), ("explanations", of_session),
            ("invoices", of_session),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", list(GOOD))
async def test_any_frames_at_a_socket_are_answered_and_touch_no_other_station(
    sqlite_house_url: str, protocol: str
) -> None:
    """A station with a broken firmware must neither wait for ever nor stop the charging beside it."""
    store = Store(sqlite_house_url, WorldDraws().draw, b"k" * 32)
    store.start()
    house = DurableHouse(store)
    house.furnish()
    other = house.do(add_station, AddStation("CP2", "here", hash_key(KEY, PEPPER)))
    house.neighbours.credentials.append(
        StationCredential(OPERATOR, "op", other.station_id, other.identity, other.state, other.key_hash)
    )
    gateway = house.gateway()
    await gateway.start("127.0.0.1", 0)
    with structlog.testing.capture_logs() as logs:
        async with station(gateway, "CP2", protocol) as beside:
            first = START if protocol == "ocpp1.6" else {**EVENT, "transactionInfo": {"transactionId": OTHER}}
            assert (await say(beside, 2, "1", GOOD[protocol][0][0], first))[0] == 3
            before = kept(house, other.station_id)

            async with station(gateway, "CP1", protocol) as socket:
                writer = Writer(protocol, SEED)
                frames = [writer.frame() for _ in range(FRAMES // 2)]
                for place in range(0, len(frames), AT_ONCE):
                    await told(socket, frames[place : place + AT_ONCE])
                assert (await say(socket, 2, "last", "Heartbeat", {}))[1] == "last", "the same socket, to the end"

            assert kept(house, other.station_id) == before
            last = STOP if protocol == "ocpp1.6" else {**first, "eventType": "Ended", "seqNo": 1}
            assert (await say(beside, 2, "2", ENDS[protocol], last))[0] == 3
    await gateway.stop(grace_seconds=2)
    assert house.rows("SELECT count(*) FROM sessions")[0][0] > 1, "some of them were good"
    store.close()
    assert [one for one in logs if one["log_level"] in {"error", "critical"}] == []
