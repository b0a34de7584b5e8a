"""Sessions from elsewhere: brought, priced and billed like the others, and never twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

SESSION: dict[str, Any] = {
    "upstream_id": "partner-1",
    "started_at": "2026-11-20T10:00:00Z",
    "ended_at": "2026-11-20T11:00:00Z",
    "energy_wh": "8420.5",
    "evse": "GB*TWA*ECP3*1",
    "customer": "C1",
}


def test_a_session_from_elsewhere_is_billed_like_any_other(scene: Scene) -> None:
    """Price, invoice, payment and bookings, with evidence graded as reported."""
    made = scene.client().post("/sessions", json=SESSION, headers=scene.key("sessions"))
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "billed"
    shown = scene.client().get(f"/sessions/{made.json()['id']}", headers=scene.key("read")).json()
    assert (shown["source"], shown["evidence"], shown["energy_wh"]) == ("api", "reported", "8420.5")
    # 8.4205 kWh at 0.35 and the session fee of 0.38
    assert shown["total_minor"] == 333
    assert shown["payments"][0]["amount_minor"] == 333
    assert shown["entries"]


def test_the_same_upstream_id_is_billed_once_also_without_an_idempotency_key(scene: Scene) -> None:
    """The caller's own id is the natural key."""
    client, headers = scene.client(), scene.key()
    first, again = (client.post("/sessions", json=SESSION, headers=headers).json() for _ in range(2))
    assert again["id"] == first["id"]
    assert len(client.get("/invoices", headers=headers).json()["items"]) == 1
    assert len(client.get("/payments", headers=headers).json()["items"]) == 1


def test_the_same_upstream_id_with_other_values_is_a_conflict(scene: Scene) -> None:
    """What was billed is not edited."""
    client, headers = scene.client(), scene.key()
    client.post("/sessions", json=SESSION, headers=headers)
    answer = client.post("/sessions", json={**SESSION, "energy_wh": "9000"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "sessions.brought_differently")


def test_a_session_that_nobody_is_known_to_owe_for_is_held(scene: Scene) -> None:
    """Energy has flowed: it is not refused, it is explained and put before a person."""
    body = {**SESSION, "customer": None, "token": "STRANGER"}
    made = scene.client().post("/sessions", json=body, headers=scene.key()).json()
    assert made["state"] == "held"
    assert "unknown_token" in made["flags"]
    figures = scene.client().get("/audit/summary", headers=scene.key()).json()
    assert figures["energy"]["explained_by"] == {"unknown_payer": "8420.5"}
    assert figures["energy"]["unexplained_wh"] == "0"


def test_a_card_tells_who_owes(scene: Scene) -> None:
    """Tokens are compared case-folded here as everywhere."""
    body = {**SESSION, "customer": None, "token": "card2"}
    made = scene.client().post("/sessions", json=body, headers=scene.key()).json()
    assert (made["state"], made["payer"]) == ("billed", "customer")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"ended_at": "2026-11-20T09:00:00Z"}, 400, "sessions.times_not_in_order"),
        ({"ended_at": "2031-01-01T00:00:00Z"}, 400, "sessions.times_not_credible"),
        ({"evse": "GB*XXX*E1"}, 404, "evses.not_found"),
        ({"evse": None}, 400, "sessions.no_place"),
        ({"customer": "nobody"}, 404, "customers.not_found"),
        ({"energy_wh": 8420.55}, 422, "request.unreadable"),
        ({"energy_wh": "-1"}, 422, "request.unreadable"),
        ({"energy_wh": "NaN"}, 422, "request.unreadable"),
        ({"energy_wh": "1e400"}, 422, "request.unreadable"),
        ({"started_at": "2026-11-20T10:00:00"}, 422, "request.unreadable"),
        ({"upstream_id": ""}, 422, "request.unreadable"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(
    scene: Scene, change: dict[str, Any], status: int, code: str
) -> None:
    """Whoever brings it can mend it; nothing was written down."""
    answer = scene.client().post("/sessions", json={**SESSION, **change}, headers=scene.key())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert scene.client().get("/sessions", headers=scene.key()).json()["items"] == []


def test_a_station_and_a_number_name_the_place_as_well(scene: Scene) -> None:
    """For sources that know no EVSE ids."""
    body = {**SESSION, "evse": None, "station": "CP2", "evse_number": 2}
    made = scene.client().post("/sessions", json=body, headers=scene.key())
    assert made.status_code == 201
    shown = scene.client().get(f"/sessions/{made.json()['id']}", headers=scene.key()).json()
    assert shown["evse"] == "GB*TWA*ECP2*2"


def test_the_list_goes_on_behind_its_cursor(scene: Scene) -> None:
    """Every session once, newest first."""
    client, headers = scene.client(), scene.key()
    for number in range(5):
        client.post("/sessions", json={**SESSION, "upstream_id": f"p{number}"}, headers=headers)
    seen, cursor = [], None
    while True:
        page = client.get("/sessions", params={"limit": 2, **({"cursor": cursor} if cursor else {})}, headers=headers)
        seen += [row["upstream_id"] for row in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert seen == ["p4", "p3", "p2", "p1", "p0"]


def test_a_list_is_narrowed_by_what_it_says(scene: Scene) -> None:
    """State, source, station, customer, token, times."""
    client, headers = scene.client(), scene.key()
    client.post("/sessions", json=SESSION, headers=headers)
    scene.wire().charge(5_000_000, token="CARD2")
    for query, many in (
        ({"source": "api"}, 1), ({"station": "CP1"}, 1), ({"customer": "C1"}, 1), ({"token": "CARD2"}, 1),
        ({"state": "billed"}, 2), ({"state": "held"}, 0),
        ({"since": "2026-11-21T00:00:00Z"}, 1), ({"evse": "GB*TWA*ECP3*1"}, 1),
    ):  # fmt: skip
        assert len(client.get("/sessions", params=query, headers=headers).json()["items"]) == many, query


def test_what_a_running_session_costs_and_what_is_ahead_of_it(scene: Scene) -> None:
    """A program shows the same figures as the driver's page, and asks when somebody's wish will be fulfilled."""
    wire, client, headers = scene.wire(), scene.client(), scene.key("read")
    transaction = wire.start(meter=0)
    scene.later(60)
    wire.sample(transaction, (scene.now, 10_000_000))
    running = scene.session(transaction)["id"]
    shown = client.get(f"/sessions/{running}/cost", params={"limit_wh": 12_000}, headers=headers).json()
    assert (shown["energy_wh"], shown["ahead"]["watts"]) == ("10000", 10_000)
    assert shown["ahead"]["limit"]["reached"] == "milliwatt_hours"
    assert client.get(f"/sessions/{running}/cost", headers=headers).json()["ahead"]["limit"] is None
    # The price by day and the one by night follow each other twice a day.
    assert {one["price"] for part in (shown["ahead"], shown["ahead"]["change"]) for one in part["prices"]} == {
        "0.35",
        "0.25",
    }
    wire.stop(transaction, 10_000_000)
    billed = client.get(f"/sessions/{running}/cost", headers=headers).json()
    assert (billed["final"], billed["ahead"], billed["gross_minor"]) == (True, None, shown["gross_minor"])
