"""Tariffs through the console's forms: looked at before they are kept, assigned, and never changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.roles import Role
from tallywatt.stations.station import Current
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_station import AddStation, NewEvse, add_station
from tests.entrypoints.scene import TARIFF

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

FORM = {"mode": "form", "reference": "night", "currency": "GBP", "energy": "0.2", "vat": "20", "kwh": "10"}


def csrf(client: TestClient, path: str = "/console/tariffs") -> str:
    """The token that forms of this session carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def test_a_price_is_shown_before_the_tariff_is_kept(scene: Scene) -> None:
    """Looking writes nothing; keeping leads to the version's page."""
    with scene.signed_in() as client:
        token = csrf(client)
        looked = client.post("/console/tariffs/new", data={**FORM, "csrf": token, "step": "look"})
        assert looked.status_code == 200
        assert "£2.00" in looked.text
        before = scene.house.ask_now(scene.house.views.tariffs, scene.operator)
        kept = client.post("/console/tariffs/new", data={**FORM, "csrf": token, "step": "keep"})
        after = scene.house.ask_now(scene.house.views.tariffs, scene.operator)
    assert [row["reference"] for row in before] == [TARIFF["id"]]
    assert [row["reference"] for row in after] == [TARIFF["id"], "night"]
    assert kept.status_code == 303
    assert kept.headers["location"].endswith("?said=saved")


def test_keeping_the_same_content_twice_keeps_one_version(scene: Scene) -> None:
    """The id is the hash of the content."""
    with scene.signed_in() as client:
        token = csrf(client)
        sent = [client.post("/console/tariffs/new", data={**FORM, "csrf": token, "step": "keep"}) for _ in range(2)]
    assert sent[0].headers["location"] == sent[1].headers["location"]


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"id":"x"}', '{"id": 1, "elements": []}', "\0"])
def test_json_that_is_no_tariff_is_told_with_what_was_typed(scene: Scene, text: str) -> None:
    """Nobody types a tariff twice because of a comma."""
    with scene.signed_in() as client:
        answer = client.post("/console/tariffs/new", data={"csrf": csrf(client), "mode": "json", "json": text})
    assert answer.status_code == 400
    assert text == "\0" or 'role="alert"' in answer.text


def test_a_tariff_as_json_is_kept_with_every_digit(scene: Scene) -> None:
    """A float would have lost some."""
    text = json.dumps({**TARIFF, "id": "exact"}).replace('"0.35"', "0.123456789")
    with scene.signed_in() as client:
        data = {"csrf": csrf(client), "mode": "json", "json": text, "step": "keep"}
        kept = client.post("/console/tariffs/new", data=data)
        page = client.get(kept.headers["location"])
    assert "0.123456789" in page.text


def test_a_version_is_assigned_from_its_page(scene: Scene) -> None:
    """To a place and from a time, in the operator's zone; a bad one is told on the same page."""
    [row] = scene.house.ask_now(scene.house.views.tariffs, scene.operator)
    path = f"/console/tariffs/{row['id']}"
    with scene.signed_in() as client:
        token = csrf(client)
        good = {"csrf": token, "place": "station/CP1", "begins": "2026-07-01T00:00"}
        assert client.post(f"{path}/assign", data=good).status_code == 303
        for wrong in ({"place": "moon/x"}, {"place": "station/CP99"}, {"begins": "soon"}, {"ends": "1999-01-01T00:00"}):
            answer = client.post(f"{path}/assign", data={"csrf": token, **wrong})
            assert answer.status_code in {400, 404}
            assert 'role="alert"' in answer.text
    rows = scene.house.ask_now(scene.house.views.tariff_assignments, scene.operator)
    assert ("CP1", "2026-06-30T23:00:00.000Z") in [(one["target"], one["valid_from"]) for one in rows]


def test_who_only_reads_sees_tariffs_and_changes_none(scene: Scene) -> None:
    """Neither by a button nor by an address."""
    with scene.signed_in(Role.READ_ONLY) as client:
        page = client.get("/console/tariffs")
        assert "New tariff" not in page.text
        assert client.get("/console/tariffs/new").status_code == 403
        assert client.post("/console/tariffs/new", data={**FORM, "csrf": csrf(client)}).status_code == 403


def test_a_new_version_starts_from_the_last_one(scene: Scene) -> None:
    """As fields where fields can say it, as JSON where they cannot."""
    [row] = scene.house.ask_now(scene.house.views.tariffs, scene.operator)
    with scene.signed_in() as client:
        page = client.get(f"/console/tariffs/new?version={row['id']}").text
        assert client.get("/console/tariffs/new?version=nothing").status_code == 404
    assert 'value="0.25"' in page
    assert 'value="07:00"' in page


CROSSING = {
    **TARIFF,
    "id": "crossing",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": "0.5", "vat": "20", "step_size": 1}],
            "restrictions": {"start_time": "07:00", "end_time": "20:00"},
            "restriction": {},
        }
    ],
}


def test_what_looks_wrong_is_shown_before_a_tariff_is_kept_and_on_its_page(scene: Scene) -> None:
    """The right moment to learn of a gap is before somebody charges in it; nothing is refused for it."""
    with scene.signed_in() as client:
        data = {"csrf": csrf(client), "mode": "json", "json": json.dumps(CROSSING)}
        looked = client.post("/console/tariffs/new", data=data | {"step": "look"}).text
        kept = client.post("/console/tariffs/new", data=data | {"step": "keep"})
        page = client.get(kept.headers["location"]).text
        german = client.get(kept.headers["location"], headers={"Accept-Language": "de"}).text
    assert "It looks like “restrictions”" in looked
    for text in (looked, page):
        assert "No price for energy applies here: 20:00 to 07:00" in text or "00:00 to 07:00" in text
        assert "prices are in GBP; this tariff is in EUR" in text
        assert "gb.pcpr.11" in text
    assert "Hier gilt kein Preis für Energie" in german
    assert "Overnight" in page
    assert "Über Nacht" in german


def test_the_api_answers_a_tariff_with_what_looks_wrong(scene: Scene) -> None:
    """A pipeline reads codes and paths; the tariff is kept all the same."""
    answer = scene.client().post("/tariffs", json=CROSSING, headers=scene.key())
    assert answer.status_code == 201
    assert [(one["code"], one["gravity"], one["path"]) for one in answer.json()["warnings"]] == [
        ("lint.misspelt_key", "error", "elements[0].restriction"),
        ("lint.gap", "warning", "elements"),
        ("law.currency", "warning", "currency"),
    ]
    law = answer.json()["warnings"][-1]
    assert (law["rule"], law["places"]) == ("gb.pcpr.11", ["GB*TWA*ECP2*1 (+3)", "GB*TWA*ECP1*1 (+1)"])


def test_a_gate_that_is_shut_keeps_a_forbidden_tariff_from_holding(scene: Scene) -> None:
    """By setting: the same assignment goes through where findings are only shown."""
    location = scene.house.ask_now(scene.house.views.locations, scene.operator)[0]
    assert location["country"] == "GB"
    abroad = AddLocation("austin", "Austin", "1 Main Street", "Austin", "73301", country="US", zone="America/Chicago")
    scene.do(add_location, abroad)
    scene.do(add_station, AddStation("US1", "austin", "hash", (NewEvse(1, Current.DC, 150_000),)))
    headers = scene.key()
    order = {"tariff": TARIFF["id"], "scope": "location", "target": "austin"}
    scene.house.settings.law_gate = "block"
    try:
        refused = scene.client().post("/tariffs/assignments", json=order, headers=headers)
        elsewhere = scene.client().post("/tariffs/assignments", json=order | {"target": "greenmarket"}, headers=headers)
    finally:
        scene.house.settings.law_gate = "show"
    shown = scene.client().post("/tariffs/assignments", json=order, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "tariffs.unlawful")
    assert "23 CFR 680.116" in refused.json()["detail"]
    assert (elsewhere.status_code, shown.status_code) == (201, 201)


def test_a_tariff_is_assigned_for_somebody_through_the_api(scene: Scene) -> None:
    """A name that nobody has is told at once: a price for nobody would be found by nobody."""
    cheap = {
        **TARIFF,
        "id": "staff",
        "elements": [{"price_components": [{"type": "ENERGY", "price": "0.1", "vat": "20"}]}],
    }
    client, headers = scene.client(), scene.key()
    assert client.post("/tariffs", json=cheap, headers=headers).status_code == 201
    order = {"tariff": "staff", "audience": "customer:C1 & speed:dc_fast"}
    made = client.post("/tariffs/assignments", json=order, headers=headers)
    assert (made.status_code, made.json()["audience"]) == (201, "customer:C1 & speed:dc_fast")
    for wrong, status in (("customer:nobody", 404), ("group:taxis", 404), ("nonsense", 400)):
        assert (
            client.post("/tariffs/assignments", json=order | {"audience": wrong}, headers=headers).status_code == status
        )
