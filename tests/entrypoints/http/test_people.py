"""People at the doors: what each role may, and whose things a driver finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.http.browsers import browser_label
from tallywatt.workflows.add_person import EndMembership, end_membership

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

STAFF = (Role.OWNER, Role.OPERATIONS, Role.SUPPORT, Role.FINANCE, Role.READ_ONLY)
DOES: dict[str, tuple[Role, ...]] = {
    "POST /console/stations/CP1/adopt": (Role.OWNER, Role.OPERATIONS),
    "POST /console/jobs/x/retry": (Role.OWNER, Role.OPERATIONS),
    "POST /console/sessions/x/stop": (Role.OWNER, Role.OPERATIONS, Role.SUPPORT),
    "POST /console/inbox/x": (Role.OWNER, Role.OPERATIONS, Role.SUPPORT, Role.FINANCE),
    "POST /console/payments/x/retry": (Role.OWNER, Role.FINANCE),
    "POST /console/payments/x/refund": (Role.OWNER, Role.FINANCE, Role.SUPPORT),
    "POST /console/settlements/read": (Role.OWNER, Role.FINANCE),
    "POST /locations": (Role.OWNER, Role.OPERATIONS),
    "GET /api-keys": (Role.OWNER,),
}


def csrf(client: TestClient) -> str:
    """The token of a session of the console."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/console").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("role", STAFF)
def test_a_role_does_what_its_table_says(scene: Scene, role: Role) -> None:
    """Finance collects and commands no station; support helps and moves little money."""
    client = scene.signed_in(role)
    assert client.get("/console").status_code == 200
    token = {"x-csrf-token": csrf(client)}
    for line, roles in DOES.items():
        method, _, path = line.partition(" ")
        status = client.request(method, path, headers=token).status_code
        assert (status == 403) == (role not in roles), (line, status)


def test_support_unlocks_a_connector_and_takes_no_station_out_of_service(scene: Scene) -> None:
    """The same route, and another thing altogether."""
    client = scene.signed_in(Role.SUPPORT)
    token = csrf(client)
    codes = {
        action: client.post("/console/stations/CP1/commands", data={"csrf": token, "action": action}).status_code
        for action in ("reset", "availability")
    }
    assert set(codes.values()) == {403}
    unlock = {"csrf": token, "action": "unlock", "evse": "1"}
    assert client.post("/console/stations/CP1/commands", data=unlock).status_code != 403


def test_support_gives_back_small_sums_alone_and_no_more_of_one_payment(scene: Scene) -> None:
    """Neither at once nor piece by piece: what goes beyond it waits for somebody else."""
    scene.wire().charge(300_000_000, minutes=600)
    scene.collect()
    payment = scene.session()["payments"][0]["id"]
    client = scene.signed_in(Role.SUPPORT)
    token = csrf(client)

    def give_back(amount: str, once: str) -> str:
        data = {"csrf": token, "amount": amount, "once": once}
        answer = client.post(f"/console/payments/{payment}/refund", data=data)
        scene.collect()
        return str(answer.headers["location"]).partition("said=")[2]

    assert give_back("50.01", "a") == "asked_approval"
    assert give_back("30.00", "b") == "refunded"
    assert give_back("20.01", "c") == "asked_approval"
    assert give_back("20.00", "d") == "refunded"


@pytest.mark.parametrize(("role", "customers"), [(Role.DRIVER, ("C1",)), (Role.FLEET_MANAGER, ("C1", "C2"))])
def test_a_driver_finds_nothing_of_the_operator_s(scene: Scene, role: Role, customers: tuple[str, ...]) -> None:
    """Whatever is not their own page is closed to them."""
    client = scene.signed_in(role, *customers)
    assert client.get("/").headers["location"] == "/me"
    for path in ("/console", "/sessions", "/customers", "/console/payments", "/events", "/api-keys"):
        assert client.get(path).status_code == 403, path


def test_who_is_no_longer_with_the_operator_is_out(scene: Scene) -> None:
    """Also a session whose row was not ended: the membership decides."""
    scene.signed_in(Role.OWNER)
    client = scene.signed_in(Role.SUPPORT)
    assert client.get("/console").status_code == 200
    [membership] = scene.do(lambda work, _: work.memberships.by(role="support"), None)
    scene.do(end_membership, EndMembership(membership.membership_id))
    assert client.get("/console").status_code == 401


def test_what_somebody_does_is_recorded_under_their_name_not_their_session(scene: Scene) -> None:
    """Two browsers of one person are one person in the trail."""
    scene.knock("NEW1")
    client = scene.signed_in(Role.OPERATIONS)
    client.post("/console/stations/NEW1/adopt", data={"csrf": csrf(client), "evses": "1"})
    [membership] = scene.do(lambda work, _: work.memberships.by(role="operations"), None)
    rows = scene.house.ask_now(scene.house.views.actions, scene.operator)
    adopted = next(row for row in rows if row["action"] == "station.adopt")
    assert (adopted["caller_kind"], adopted["caller_id"]) == ("person", membership.person_id)


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 CriOS/150 Safari/604.1", "Chrome on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) SamsungBrowser/30 Chrome/150 Mobile Safari/537.36", "Samsung Internet on Android"),
        ("curl/8.5.0", None),
        (None, None),
    ],
)  # fmt: skip
def test_a_browser_is_known_again_by_two_words(user_agent: str | None, label: str | None) -> None:
    """Most browsers also claim to be those that they descend from."""
    assert browser_label(user_agent) == label
