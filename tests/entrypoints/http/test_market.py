"""Prices of markets through the API, and what an offer keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

PRICES = [
    {"starts_at": "2026-11-24T00:00:00Z", "per_mwh": "80"},
    {"starts_at": "2026-11-24T01:00:00Z", "per_mwh": "-5.5"},
]
DAY: dict[str, Any] = {"market": "GB", "minutes": 60, "currency": "GBP", "prices": PRICES}


def test_prices_are_brought_once_and_found_by_market_and_time(scene: Scene) -> None:
    """A scheduler sends the same day again; nothing is there twice."""
    client, headers = scene.client(), scene.key()
    first = client.post("/market-prices", json=DAY, headers=headers).json()
    again = client.post("/market-prices", json=DAY, headers=headers).json()
    found = client.get("/market-prices?market=GB&since=2026-11-24T01:00:00Z", headers=headers).json()["items"]

    assert (first["new"], again["new"], again["same"]) == (2, 0, 2)
    assert [(one["starts_at"], one["per_mwh"]) for one in found] == [("2026-11-24T01:00:00.000Z", "-5.5")]


def test_a_correction_is_counted_and_what_is_wrong_is_refused_whole(scene: Scene) -> None:
    """One bad slot must not let the others in: the market would have half a day."""
    client, headers = scene.client(), scene.key()
    client.post("/market-prices", json=DAY, headers=headers)
    other = {**DAY, "prices": [{**PRICES[0], "per_mwh": "81"}]}
    assert client.post("/market-prices", json=other, headers=headers).json()["corrected"] == 1
    for wrong in (
        {**DAY, "minutes": 7},
        {**DAY, "currency": "XXXX"},
        {**DAY, "prices": [{"starts_at": "2026-11-25T00:10:00Z", "per_mwh": "1"}]},
        {**DAY, "prices": [{"starts_at": "2026-11-25T00:00:00Z", "per_mwh": "NaN"}]},
        {**DAY, "prices": [*PRICES, {"starts_at": "soon", "per_mwh": "1"}]},
    ):
        answer = client.post("/market-prices", json=wrong, headers=headers)
        assert answer.status_code in (400, 422), (wrong, answer.text)
        assert answer.json()["code"]
    assert len(client.get("/market-prices", headers=headers).json()["items"]) == 2


def test_a_key_that_may_only_read_brings_nothing(scene: Scene) -> None:
    """Whoever sets prices of a market sets what drivers pay."""
    answer = scene.client().post("/market-prices", json=DAY, headers=scene.key("read"))

    assert (answer.status_code, answer.json()["code"]) == (403, "access.not_allowed")
