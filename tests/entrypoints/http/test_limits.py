"""Limits at the doors: whose bucket a request takes from, what the answer says, and whose word about an address counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.entrypoints.http.app import build_app
from tallywatt.entrypoints.http.doors import OPEN
from tallywatt.entrypoints.http.limits import UNLIMITED, by_site, client_of, networks_of, policy_of
from tallywatt.kernel.errors import BadInput
from tests.entrypoints.scene import Scene

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def limited(scene: Scene, **settings: str) -> Scene:
    """The same house behind an app with other limits."""
    scene.house.settings = scene.house.settings.model_copy(update=settings)
    again = Scene.beside(scene, scene.slug)
    again.app, again.operator = build_app(scene.house), scene.operator
    return again


def test_an_answer_says_how_much_is_left(scene: Scene) -> None:
    """A program that reads it never runs into the limit."""
    scene = limited(scene, limit_keys="5/60")
    headers = scene.key("read")
    answer = scene.client().get("/sessions", headers=headers)
    assert answer.headers["ratelimit-policy"] == '"keys";q=5;w=60'
    assert answer.headers["ratelimit"].startswith('"keys";r=4;t=')


def test_who_asks_too_often_is_told_when_to_come_again(scene: Scene) -> None:
    """As a problem with a code, and with Retry-After; another key is not concerned."""
    scene = limited(scene, limit_keys="2/60")
    client, headers, other = scene.client(), scene.key("read"), scene.key("read")
    assert [client.get("/sessions", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/sessions", headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "limits.keys"
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert answer.headers["ratelimit"].startswith('"keys";r=0')
    assert client.get("/sessions", headers=other).status_code == 200


def test_a_guesser_is_slowed_down_and_a_good_key_beside_it_is_not(scene: Scene) -> None:
    """A whole office may share one address."""
    scene = limited(scene, limit_refused="3/60")
    client, good = scene.client(), scene.key("read")
    bad = {"Authorization": "Bearer twk_aaaaaaaaaaaa_bbbb"}
    assert [client.get("/sessions", headers=bad).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert client.get("/sessions", headers=good).status_code == 200
    assert client.get("/sessions").status_code == 401


def test_open_pages_are_limited_by_address(scene: Scene) -> None:
    """A browser reads a page that says so."""
    scene = limited(scene, limit_pages="1/60", limit_sign_in="1/60")
    client = scene.client()
    assert client.get("/s/nobody").status_code == 404
    answer = client.get("/s/nobody", headers={"Accept": "text/html"})
    assert answer.status_code == 429
    assert answer.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in answer.headers
    assert [client.post("/console/enter/x").status_code for _ in range(2)] == [401, 429]


def test_a_flood_of_pages_stops_no_webhook_and_no_health_check(scene: Scene) -> None:
    """Each has a limit of its own, or none."""
    scene = limited(scene, limit_pages="1/60", limit_sign_in="1/60", limit_pay="1/60", limit_refused="1/60")
    client = scene.client()
    for _ in range(5):
        client.get("/s/nobody")
        client.post("/evse/nobody/pay")
    assert client.get("/health").status_code == 200
    assert client.get("/static/app.css").status_code == 200
    assert client.post("/webhooks/stripe/nobody").status_code == 404


def test_every_open_route_has_a_limit_or_is_named_as_having_none() -> None:
    """A new open route is limited by address, or somebody has said why not."""
    for method, _, path in (route.partition(" ") for route in OPEN):
        assert policy_of(method, path) is not None or path.startswith(UNLIMITED), (method, path)


def proxied(client: TestClient, told: str) -> int:
    """The status of a driver's page, asked for through a proxy."""
    return client.get("/s/nobody", headers={"X-Forwarded-For": told}).status_code


def test_nobody_s_word_about_an_address_counts_unless_it_is_a_proxy_of_ours(scene: Scene) -> None:
    """Otherwise a header would be enough to have as many buckets as one likes."""
    scene = limited(scene, limit_pages="1/60")
    client = scene.client()
    assert [proxied(client, "192.0.2.1"), proxied(client, "192.0.2.2")] == [404, 429]


PROXIES = networks_of("10.0.0.0/8, 192.168.1.1, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),  # a stranger says it is somebody else
        ("10.0.0.5", "198.51.100.7", "198.51.100.7"),  # our proxy says who spoke to it
        ("10.0.0.5", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # what stands left was sent by the stranger itself
        ("10.0.0.5", "198.51.100.7, 192.168.1.1", "198.51.100.7"),  # two proxies of ours, one behind the other
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "unknown", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.7, rubbish", "10.0.0.5"),
        ("::ffff:10.0.0.5", "198.51.100.7", "198.51.100.7"),
        ("testclient", "198.51.100.7", "testclient"),
    ],
)  # fmt: skip
def test_the_nearest_address_that_is_no_proxy_is_the_client(peer: str, told: str, client: str) -> None:
    """Read from the right: each proxy adds there."""
    assert client_of(peer, told, PROXIES) == client


def test_addresses_of_one_ipv6_network_are_one_client() -> None:
    """A household has 2^64 of them."""
    assert by_site("2001:db8:1:2:a::1") == by_site("2001:db8:1:2:b::2") == "2001:db8:1:2::/64"
    assert by_site("2001:db8:1:3::1") != by_site("2001:db8:1:2::1")
    assert by_site("192.0.2.1") == "192.0.2.1"


def test_a_proxy_that_is_no_address_is_told_at_the_start() -> None:
    """Not with the first request."""
    with pytest.raises(BadInput, match="TRUSTED_PROXIES"):
        networks_of("10.0.0.0/8, proxy.local")
