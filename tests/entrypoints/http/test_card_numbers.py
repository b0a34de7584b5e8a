"""A card number in any text of any request is kept nowhere; the fields come from the API's own documentation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tallywatt.entrypoints.cli.logs import configure
from tests.entrypoints.http.test_authorisation import World, new_world, routes_of
from tests.entrypoints.http.test_imports import EXPORT, Desk, lines
from tests.entrypoints.http.test_webhooks import SECRET, event, path, signed
from tests.entrypoints.scene import TARIFF
from tests.searched import CARD, SPELLINGS, card_numbers_in, found_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

    from tests.entrypoints.http.test_authorisation import Route

OF_MACHINES = {
    "upstream_id": "the number of a session in another system: energy is found again by it",
    "identity": "what a station calls itself; many are serial numbers",
}
"""Fields in which a number of another machine is kept as it is, and why (docs/decisions/0013)."""
EVSE = {"number": 1, "current": "AC", "max_power_watts": 22_000}
GOOD: dict[str, dict[str, Any]] = {
    "POST /locations": {"reference": "new", "name": "New"},
    "POST /stations": {"identity": "NEW", "location": "queen-street", "evses": [EVSE]},
    "POST /stations/{identity}/commands": {"action": "start", "tag": "CARD1"},
    "POST /tariffs/assignments": {"scope": "operator", "target": ""},
    "POST /customers": {"reference": "NEW"},
    "POST /circles": {"kind": "group", "name": "new"},
    "POST /circles/{circle_id}/customers": {"customer": "C1"},
    "POST /coupons": {"code": "NEW", "terms": {"percent": "5"}},
    "POST /tokens": {"uid": "NEW"},
    "POST /sessions": {
        "upstream_id": "U", "started_at": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T11:00:00Z", "energy_wh": "1000",
        "station": "CP1",
    },
    "POST /payments/{payment_id}/refunds": {"amount_minor": 1, "reason": "wrong"},
    "POST /inbox/{item_id}/resolve": {"decision": "dismiss", "note": "seen"},
    "POST /provider-accounts": {
        "name": "another", "provider": "stripe", "currencies": ["GBP"], "secret_reference": "env:KEY",
        "webhook_secret_references": ["env:HOOK"],
    },
    "POST /api-keys": {"name": "a key"},
    "POST /webhook-endpoints": {"url": "https://hooks.example.org/"},
}  # fmt: skip
"""What each route is sent beside the field in question; a route that is not here needs nothing else."""
NEW = ("NEW", "new", "U")
"""What becomes another one with every request."""
FEWEST_TAKEN = 15
"""So many fields must have been taken in: a test whose every request is refused would show nothing."""


@pytest.fixture
def world(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One of each thing, and logs as `serve` writes them."""
    monkeypatch.setenv("KEY", "sk_test_1")
    monkeypatch.setenv("HOOK", SECRET)
    made = new_world(tmp_path, migrated_file)
    configure()
    yield made
    structlog.reset_defaults()
    made.scene.close()


def texts_of(api: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a body that take a text of any form, each with a card number in it as that field wants it."""
    while "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, one in schema.get("properties", {}).items():
        for kind in one.get("anyOf", [one]):
            if kind.get("type") == "array" and kind["items"].get("type") == "string":
                yield name, [CARD]
            if kind.get("type") == "object":
                yield name, {"name": CARD}
            if kind.get("type") == "string" and not {"format", "enum", "const"} & kind.keys():
                yield name, CARD


def asked(world: World) -> Iterator[tuple[str, str, Response]]:
    """Every field of every route, one at a time, by a key that may do anything."""
    api = world.scene.app.openapi()
    client, headers = world.scene.client(), world.scene.key()
    routes: dict[str, Route] = {one.name: one for one in routes_of(world.scene)}
    for address, methods in api["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None:
                continue
            route = routes[f"{method.upper()} {address}"]
            url = route.filled(world.value(route, world.own))
            for number, (name, text) in enumerate(texts_of(api, body["schema"])):
                if name in OF_MACHINES:
                    continue
                good = GOOD.get(route.name, {}).items()
                told = {one: f"{value}{number}" if value in NEW else value for one, value in good} | {name: text}
                key = {**headers, "Idempotency-Key": f"{route.name} {name}"}
                yield route.name, name, client.request(route.method, url, json=told, headers=key)


def test_no_text_of_any_request_brings_a_card_number_in(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Typed into a name, quoted by a partner, pasted into a note: it is in no cell, no sealed body, no line of the log."""
    taken = []
    for route, name, answer in asked(world):
        assert answer.status_code < 500, f"{route} {name}: {answer.text}"
        if answer.is_success:
            taken.append(f"{route} {name}")
        else:
            assert not found_in(answer.text), f"{route} {name}: the problem repeats it: {answer.text}"
    assert len(taken) >= FEWEST_TAKEN, taken
    assert card_numbers_in(world.scene.house.store) == []
    told = capfd.readouterr()
    assert not found_in(told.out + told.err)


@pytest.mark.parametrize("spelling", [CARD, *SPELLINGS])
def test_no_webhook_and_no_tariff_brings_one_in(world: World, spelling: str) -> None:
    """What a provider quotes is kept sealed without it; a tariff is known by its very bytes, so that one is refused."""
    scene = world.scene
    body = event(scene).replace(b'"pi_other"', json.dumps(f"pi for {spelling}.").encode())
    assert scene.client().post(path(scene), content=body, headers=signed(scene, body)).status_code == 200
    answer = scene.client().post("/tariffs", json={**TARIFF, "id": f"n {spelling}"}, headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (400, "card_number.refused")
    assert not found_in(answer.text)
    assert card_numbers_in(scene.house.store) == []


def test_no_row_of_an_import_brings_one_in(world: World) -> None:
    """A cell of a spreadsheet, a member of a JSON line, the name of a file: after the last row it is nowhere."""
    desk = Desk(world.scene)
    export = EXPORT.replace("CARD1", CARD).replace("4711", SPELLINGS[1]).replace("Square", SPELLINGS[0])
    for kind, content in (
        ("sessions", export + f"{CARD},{CARD},{CARD},1,{CARD},12:00,06/09/2018,13:00,{CARD},0,{CARD},{CARD},{CARD}\n"),
        ("customers", lines({"reference": "one", "name": CARD, "address": CARD}, {"reference": CARD}, {CARD: CARD})),
        ("tokens", lines({"uid": CARD, "customer": "C1"}, {"uid": SPELLINGS[2], "customer": CARD})),
    ):
        upload, rows = desk.taken(kind, content, name=f"{CARD}.csv")
        assert (upload["state"], len(rows) > 1) == ("done", True)
        assert not found_in(json.dumps([upload, rows])), kind
    tokens = world.scene.do(lambda work, _: work.tokens.by(), None)
    [token] = [one for one in tokens if one.uid.startswith("card-4242-")]
    assert token.customer_id is not None, "the driver of that card is known"
    assert card_numbers_in(world.scene.house.store) == []


def test_what_is_looked_for_is_kept_nowhere_either(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """A card number in an address: of a search, of a filter, of a page that is none."""
    scene = world.scene
    client = scene.signed_in()
    pages = ("/console/search?q=", "/console/sessions?token=", "/s/", "/console/customers/")
    for where in (page + CARD for page in pages):
        assert client.get(where, headers={"Accept": "text/html"}).status_code < 500
    api = scene.client()
    for where in (f"/customers/{CARD}", f"/tokens?uid={CARD}", f"/sessions?token={CARD}", f"/{CARD}"):
        answer = api.get(where, headers=scene.key())
        assert answer.status_code < 500
        assert not found_in(answer.text), where
    assert card_numbers_in(scene.house.store) == []
    told = capfd.readouterr()
    assert not found_in(told.out + told.err)


def test_a_log_line_tells_no_card_number(capfd: pytest.CaptureFixture[str]) -> None:
    """Not in a text, not in a list, not in what an exception quotes."""
    configure()
    log = structlog.get_logger()
    try:
        msg = f"no customer {CARD}"
        raise LookupError(msg)
    except LookupError:
        log.exception("about", number=CARD, path=f"/customers/{CARD}", parts=["a", SPELLINGS[0]])
    finally:
        structlog.reset_defaults()
    told = capfd.readouterr().err
    assert not found_in(told)
    assert told.count("[card number ending 4242]") >= 4
