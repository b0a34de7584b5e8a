"""Coupons and prices of members on every door: programs, the console, the post's page, the driver's own page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.customers.circle import CircleKind
from tallywatt.customers.roles import Role
from tallywatt.kernel.clock import Instant
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, add_circle, join_circle
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.use_coupon import AddCoupon, KeepCouponOf, add_coupon, keep_coupon_of
from tests.entrypoints.http.test_console_tariffs import csrf
from tests.entrypoints.scene import TARIFF

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

COUPONS = "/console/coupons"
EVSE = "GB*TWA*ECP1*1"
FLAT_RATE: dict[str, Any] = {
    **TARIFF, "id": "gold", "name": "Gold", "elements": [{"price_components": [{"type": "ENERGY", "price": 0.21, "vat": 20}]}],
}  # fmt: skip


def sell(scene: Scene, audience: str, tariff: dict[str, Any] = FLAT_RATE) -> None:
    """Let a tariff hold for somebody, from long ago."""
    version = scene.do(put_tariff, PutTariff(tariff)).version.tariff_version_id
    scene.do(assign_tariff, AssignTariff(version, valid_from=Instant(0), audience=audience))


def test_a_program_makes_a_coupon_and_sees_who_used_it(scene: Scene) -> None:
    """From the code to the bill that it cut, by what the API answers alone."""
    client, headers = scene.client(), scene.key()
    order = {"code": "welcome", "terms": {"percent": "20"}, "valid_from": "2001-01-01T00:00:00Z"}
    made = client.post("/coupons", json=order, headers=headers).json()
    assert (made["code"], made["uses"], made["terms"]) == ("WELCOME", 0, {"percent": "20"})
    twice = client.post("/coupons", json={"code": "WELCOME", "terms": {"percent": "5"}}, headers=headers)
    assert (twice.status_code, twice.json()["code"]) == (409, "coupons.code_taken")
    both = {"code": "BOTH", "terms": {"percent": "20", "after_taxes": "1.00"}}
    assert client.post("/coupons", json=both, headers=headers).status_code == 400
    assert (
        client.post("/coupons", json={"code": "ALL", "terms": {"percent": "200"}}, headers=headers).status_code == 400
    )
    kept = client.post("/customers/C1/coupons", json={"code": "welcome"}, headers=headers)
    assert (kept.status_code, kept.json()["state"]) == (201, "kept")
    session = scene.session(scene.wire().charge(10_000_000, token="CARD1"))
    [use] = client.get(f"/coupons/{made['id']}/uses", headers=headers).json()["items"]
    assert (use["customer"], use["state"], use["session_id"]) == ("C1", "used", session["id"])
    assert client.get(f"/coupons/{made['id']}", headers=headers).json()["uses"] == 1
    ended = client.post(f"/coupons/{made['id']}/end", json={}, headers=headers).json()
    assert ended["valid_until"] is not None
    refused = client.post("/customers/C2/coupons", json={"code": "WELCOME"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "coupons.not_valid")
    assert client.get("/coupons/nobody/uses", headers=headers).status_code == 404


def test_the_console_makes_one_shows_its_uses_and_ends_it(scene: Scene) -> None:
    """A comma is a point; what cannot be meant comes back with what was typed."""
    with scene.signed_in() as client:
        token = csrf(client, COUPONS)
        typed = {"csrf": token, "code": "FIVE", "kind": "after_taxes", "value": "5,00", "most": "10"}
        for wrong in ({"kind": "everything"}, {"value": "much"}, {"most": "many"}, {"code": "?"}):
            answer = client.post(COUPONS, data={**typed, "title": "Typed before", **wrong})
            assert (answer.status_code, "Typed before" in answer.text) == (400, True), wrong
        made = client.post(COUPONS, data=typed)
        page = made.headers["location"].partition("?")[0]
        scene.do(keep_coupon_of, KeepCouponOf("FIVE", "C1"))
        shown = client.get(page).text
        assert "£5.00" in shown
        assert "/console/customers/C1" in shown
        assert "FIVE" in client.get(COUPONS).text
        assert client.post(f"{page}/end", data={"csrf": token}).status_code == 303
        assert "Over" in client.get(page).text
        assert client.post(f"{page}/end", data={"csrf": token, "at": "2001-01-01T10:00"}).status_code in {303, 400}


def test_a_driver_keeps_a_coupon_for_the_next_session(scene: Scene) -> None:
    """On the driver's own page, with the reason where it does not hold."""
    scene.do(add_coupon, AddCoupon("WELCOME", {"percent": "20"}))
    with scene.signed_in(Role.DRIVER, "C1") as client:
        token = csrf(client, "/me")
        wrong = client.post("/me/coupons", data={"csrf": token, "code": "welcom"})
        assert (wrong.status_code, "There is no such coupon" in wrong.text, 'value="welcom"' in wrong.text) == (
            404,
            True,
            True,
        )
        assert client.post("/me/coupons", data={"csrf": token, "code": "welcome"}).headers["location"] == "/me#coupons"
        assert "WELCOME" in client.get("/me").text
        assert "WELCOME" in client.get(f"/evse/{EVSE}").text


def test_a_fleets_manager_enters_no_coupon(scene: Scene) -> None:
    """For which of several customers would it be?"""
    with scene.signed_in(Role.FLEET_MANAGER, "C1", "C2") as client:
        page = client.get("/me")
        assert "coupons" in page.text
        assert 'action="/me/coupons"' not in page.text


def test_who_pays_by_card_types_a_code_at_the_post(scene: Scene) -> None:
    """A code that does not hold is refused before anything is held."""
    scene.do(add_coupon, AddCoupon("WELCOME", {"percent": "20"}, most_uses=1))
    client = scene.client()
    assert client.post(f"/evse/{EVSE}/pay", data={"coupon": "WELCOM"}).status_code == 404
    assert client.post(f"/evse/{EVSE}/pay", data={"coupon": " welcome "}).status_code == 303
    assert client.post(f"/evse/{EVSE}/pay", data={"coupon": "WELCOME"}).status_code == 409
    [use] = scene.do(lambda work, _: work.coupon_uses.by(), None)
    assert (use.state, use.customer_id) == ("claimed", None)


def test_a_member_reads_the_members_price_and_is_billed_by_it(scene: Scene) -> None:
    """What the page says per kilowatt-hour and for the usual charge is what rates; strangers read their own price."""
    scene.do(add_circle, AddCircle(CircleKind.MEMBER, "gold", "Gold card"))
    scene.do(join_circle, JoinCircle("member:gold", "C1", Instant(0)))
    sell(scene, "member:gold")
    stranger = scene.client().get(f"/evse/{EVSE}").text
    assert "£0.21" not in stranger
    with scene.signed_in(Role.DRIVER, "C1") as client:
        text = client.get(f"/evse/{EVSE}").text
        assert "It comes with your membership Gold card." in text
        own, _, others = text.partition("Without your account")
        assert "£0.21" in own
        assert "30 kWh in 1 h" in own
        assert "£6.30" in own
        assert "£0.21" not in others
        session = scene.session(scene.wire().charge(30_000_000, token="CARD1"))
        [invoice] = scene.do(lambda work, one: work.invoices.by(session_id=one), session["id"])
        assert invoice.gross_minor == 630
    with scene.signed_in(Role.DRIVER, "C2") as client:
        assert "£0.21" not in client.get(f"/evse/{EVSE}").text


def test_a_price_of_members_alone_is_shown_to_them_where_nobody_else_may_buy(scene: Scene) -> None:
    """A post of a company: who belongs to it starts with the account, and no card is asked for."""
    for one in scene.do(lambda work, _: work.tariff_assignments.by(), None):
        scene.do(end_before, one)
    sell(scene, "customer:C1")
    assert "No price here" in scene.client().get(f"/evse/{EVSE}").text
    with scene.signed_in(Role.DRIVER, "C1") as client:
        text = client.get(f"/evse/{EVSE}").text
    assert "It was agreed with you." in text
    assert "Start with my account" in text
    assert "Pay by card" not in text
    with scene.signed_in(Role.FLEET_MANAGER, "C1", "C2") as client:
        assert "No price here" in client.get(f"/evse/{EVSE}").text


def end_before(work: Any, assignment: Any) -> None:
    """Let an assignment be over."""
    work.tariff_assignments.put(replace(assignment, valid_until=Instant(max(1, assignment.valid_from + 1))))
