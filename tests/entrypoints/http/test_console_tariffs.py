"""Tariffs through the console's forms: looked at before they are kept, assigned, and never changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.roles import Role
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
