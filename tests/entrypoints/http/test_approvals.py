"""A second pair of eyes on the console and through the API: asked, seen, decided; and the limits of each role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.customers.roles import Role
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

AT = "/console/approvals"
LIMITS = "/console/settings/limits"


def a_payment(scene: Scene) -> str:
    """What a session of 35.38 was paid with."""
    scene.wire().charge(100_000_000, minutes=400)
    scene.collect()
    found: str = scene.session()["payments"][0]["id"]
    return found


def test_support_asks_and_finance_approves_on_the_console(scene: Scene) -> None:
    """The request shows what, why and who; who asked finds no button; afterwards the money is on its way."""
    payment = a_payment(scene)
    with scene.signed_in(Role.OWNER) as owner:
        form = {"csrf": csrf(owner, LIMITS), "currency": "GBP", "support.payment": "5", "approval_hours": "48"}
        assert owner.post(LIMITS, data=form).status_code == 303
    with scene.signed_in(Role.SUPPORT) as support:
        token = csrf(support, f"/console/payments/{payment}")
        ask = {"csrf": token, "amount": "12.00", "once": "a", "reason": "cable was stiff"}
        told = support.post(f"/console/payments/{payment}/refund", data=ask)
        assert "said=asked_approval" in told.headers["location"]
        assert "cable was stiff" in support.get(f"/console/payments/{payment}").text
        shown = support.get(AT).text
        assert "cable was stiff" in shown
        assert 'value="approve"' not in shown
        [row] = scene.do(lambda work, _: work.approvals.by(), None)
        assert support.post(f"{AT}/{row.approval_id}", data={"csrf": token, "decision": "approve"}).status_code == 403
    with scene.signed_in(Role.FINANCE) as finance:
        shown = finance.get(AT).text
        assert "£12.00" in shown
        assert "Support" in shown
        token = csrf(finance, AT)
        odd = finance.post(f"{AT}/{row.approval_id}", data={"csrf": token, "decision": "perhaps"})
        assert odd.status_code == 400
        done = finance.post(f"{AT}/{row.approval_id}", data={"csrf": token, "decision": "approve", "note": "seen"})
        assert "said=approved" in done.headers["location"]
        assert "seen" in finance.get(f"{AT}?state=decided").text
    scene.collect()
    paid = scene.house.ask_now(scene.house.views.payment, scene.operator, payment)
    assert paid is not None
    assert paid["refunded_minor"] == 1200


def test_programs_have_a_limit_too(scene: Scene) -> None:
    """A key asks, a key of the same person is refused, a key of somebody else approves."""
    payment, client = a_payment(scene), scene.client()
    anna, otto = scene.somebody(Role.OWNER, "Anna"), scene.somebody(Role.FINANCE, "Otto")
    hers, his = scene.key(made_by=anna), scene.key(made_by=otto)
    limit = client.put("/money-limits/program/gbp", json={"payment_minor": 100}, headers=hers).json()
    assert (limit["holder"], limit["currency"], limit["payment_minor"], limit["day_minor"]) == (
        "program", "GBP", 100, None
    )  # fmt: skip
    assert client.get("/money-limits", headers=hers).json()["items"] == [limit]
    keyed = {**hers, "Idempotency-Key": "r1"}
    asked = client.post(f"/payments/{payment}/refunds", json={"amount_minor": 101}, headers=keyed)
    again = client.post(f"/payments/{payment}/refunds", json={"amount_minor": 101}, headers=keyed)
    assert (asked.status_code, asked.json()["state"], asked.json()["id"]) == (202, "waiting_for_approval", None)
    assert again.json() == asked.json()
    request = asked.json()["approval_id"]
    own = client.post(f"/approvals/{request}/approve", json={}, headers=hers)
    assert (own.status_code, own.json()["code"]) == (409, "approvals.own_request")
    [listed] = client.get("/approvals?state=waiting", headers=his).json()["items"]
    assert listed == client.get(f"/approvals/{request}", headers=his).json()
    done = client.post(f"/approvals/{request}/approve", json={"note": "seen"}, headers=his).json()
    assert (done["state"], done["note"]) == ("approved", "seen")
    assert client.get(f"/approvals?subject={payment}", headers=his).json()["items"][0]["result_id"] == done["result_id"]
    assert client.get("/approvals/nobody", headers=his).status_code == 404
    small = client.post(
        f"/payments/{payment}/refunds", json={"amount_minor": 100}, headers={**hers, "Idempotency-Key": "r2"}
    )
    assert (small.status_code, small.json()["code"]) == (409, "payment.operation_on_its_way")


def test_a_limit_that_is_no_sum_comes_back_with_its_reason(scene: Scene) -> None:
    """What was typed is still there."""
    with scene.signed_in(Role.OWNER) as owner:
        form = {"csrf": csrf(owner, LIMITS), "currency": "GBP", "support.payment": "much", "approval_hours": "48"}
        wrong = owner.post(LIMITS, data=form)
        assert (wrong.status_code, "much" in wrong.text) == (400, True)
        form |= {"support.payment": "7.50", "approval_hours": "0"}
        assert owner.post(LIMITS, data=form).status_code == 400
        assert scene.do(lambda work, _: work.money_limits.by(), None) == []
        assert owner.post(LIMITS, data=form | {"approval_hours": "24"}).status_code == 303
        assert "7.50" in owner.get(LIMITS).text
    with scene.signed_in(Role.SUPPORT) as support:
        assert "7.50" in support.get(LIMITS).text
