"""Keys of meters and signed values behind the doors: registered, judged, shown, and handed to the driver as a file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.metering.signed.pipeline import verify_line
from tests.entrypoints.http.test_console import send
from tests.metering.signed.meter import Meter, reading
from tests.workflows.house_of import kwh
from tests.workflows.signing import at, stop_with

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

EVSE = "GB*TWA*ECP1*1"
LAW = {"metrology": "de_calibration_law"}


def charged(scene: Scene, meter: Meter) -> dict[str, Any]:
    """An hour at an EVSE under calibration law; the session as it stands."""
    scene.later(5)
    wire = scene.wire()
    began, transaction = scene.now, wire.start()
    ended = scene.later(60)
    record = meter.record(reading("B", 100, at(began)), reading("E", 108.25, at(ended)))
    stop_with(wire.house, wire, transaction, kwh(8.2), record)
    return scene.session(transaction)


def work(scene: Scene) -> None:
    """The workers do what is due."""
    workers = Workers(scene.house, (LANES["house"],))
    while workers.step(LANES["house"]):
        pass
    asyncio.run(scene.house.spread_events())


def test_a_held_session_is_billed_once_its_meter_s_key_is_registered(scene: Scene) -> None:
    """From the law at the EVSE to the file that the driver checks, through the doors alone."""
    client, headers, meter = scene.client(), scene.key(), Meter()
    changed = client.patch(f"/evses/{EVSE}", json=LAW, headers=headers)
    assert (changed.status_code, changed.json()["metrology"]) == (200, "de_calibration_law")
    assert client.get(f"/evses/{EVSE}", headers=headers).json()["metrology"] == "de_calibration_law"
    held = charged(scene, meter)
    assert held["state"] == "held"
    signed = client.get(f"/sessions/{held['id']}/signed-values", headers=headers).json()
    assert (signed["verdicts"][-1]["signature"], signed["verdicts"][-1]["reasons"]) == ("unverifiable", ["key_missing"])

    body = {"meter_serial": meter.serial, "public_key": meter.key, "evse": EVSE}
    kept = client.post("/meter-keys", json=body, headers=headers)
    assert kept.status_code == 201, kept.text
    [listed] = client.get("/meter-keys", params={"meter": meter.serial.lower()}, headers=headers).json()["items"]
    assert (listed["public_key"], listed["curve"], listed["evse"]) == (meter.key, "secp256r1", EVSE)
    work(scene)

    billed = client.get(f"/sessions/{held['id']}", headers=headers).json()
    assert (billed["state"], billed["energy_wh"], billed["evidence"]) == ("billed", "8250", "signed")
    text = client.get(f"/sessions/{held['id']}/signed-values.xml", headers=headers).text
    verdict = verify_line({"data": text, "public_key": meter.key})
    assert (verdict["signature"], verdict["billable"]["energy"], verdict["energy_wh"]) == ("valid", True, 8250)


def test_the_driver_sees_that_it_is_signed_and_takes_the_file_along(scene: Scene) -> None:
    """The one link leads to it: the page says what was signed, the file says it to the official software."""
    client, meter = scene.client(), Meter()
    client.patch(f"/evses/{EVSE}", json=LAW, headers=scene.key())
    client.post("/meter-keys", json={"meter_serial": meter.serial, "public_key": meter.key}, headers=scene.key())
    session = charged(scene, meter)
    address = f"/s/{session['driver_secret']}"
    text = client.get(address).text
    answer = client.get(f"{address}.xml")

    for said in ("The meter&#39;s signature is valid", meter.serial, "108.25", f'href="{address}.xml"'):
        assert said in text, said
    assert client.get(f"{address}.json").json()["signed"]["good"] is True
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    [value] = ET.fromstring(answer.text)
    assert value.attrib["context"] == "Transaction.End"
    assert [one.tag for one in value] == ["signedData", "publicKey"]
    assert value[1].text == meter.key
    german = client.get(address, headers={"Accept-Language": "de"}).text
    assert "Die Signatur des Zählers ist gültig" in german


def test_where_nothing_was_signed_there_is_no_file(scene: Scene) -> None:
    """Most stations sign nothing, and their pages do not speak of it."""
    scene.wire().charge(1_000_000)
    secret = scene.session()["driver_secret"]

    assert scene.client().get(f"/s/{secret}.xml").json()["code"] == "sessions.nothing_signed"
    assert "signature" not in scene.client().get(f"/s/{secret}").text
    assert scene.client().get("/s/none.xml").status_code == 404


def test_the_console_keeps_the_registry_and_the_law(scene: Scene) -> None:
    """An operator without programs registers a plate's key by hand, and sees why a session waits."""
    client, meter = scene.signed_in(), Meter()
    assert send(client, "/console/stations/CP1/law", evse=EVSE, metrology="de_calibration_law").status_code in {
        200,
        303,
    }
    assert 'value="de_calibration_law" selected' in client.get("/console/stations/CP1").text
    held = charged(scene, meter)
    page = client.get(f"/console/sessions/{held['id']}").text
    assert "The public key of this meter is not in the registry yet." in page
    assert "Release and bill" not in client.get("/console/inbox").text

    send(client, "/console/meter-keys", meter_serial=meter.serial, public_key=meter.key, evse=EVSE)
    assert meter.serial in client.get("/console/meter-keys").text
    work(scene)

    assert "The meter&#39;s signature is valid" in client.get(f"/console/sessions/{held['id']}").text
    assert client.get(f"/console/sessions/{held['id']}/signed.xml").text.startswith("<?xml")
    [key] = scene.house.ask_now(scene.house.views.meter_keys, scene.operator)
    send(client, f"/console/meter-keys/{key['id']}/end")
    [ended] = scene.house.ask_now(scene.house.views.meter_keys, scene.operator)
    assert ended["valid_until"] is not None
    bad = send(client, "/console/meter-keys", meter_serial="M", public_key="no key")
    assert bad.status_code == 400
    assert send(client, "/console/stations/CP1/law", evse="GB*TWA*ECP2*1", metrology="mid").status_code == 404
