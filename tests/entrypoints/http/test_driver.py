"""The driver's way: the price before the start, the hold, the session, the invoice. No account, one link."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.payments.operation import OperationKind
from tallywatt.payments.provider import RequiresAction, View, ViewStatus
from tallywatt.stations.web_code import code_in, window_at
from tallywatt.workflows.show_web_code import SetWebCode, set_web_code
from tests.workflows.house_of import yes

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome
    from tests.entrypoints.scene import Scene

EVSE = "GB*TWA*ECP1*2"
PAGE = "https://pay.example/cs_1"


KEY = "0f8c2d1e-5b6a-4c7d-8e9f-a0b1c2d3e4f5"


def page_first(operation: Operation) -> Outcome:
    """A provider that opens a page and waits for the driver."""
    if operation.kind is OperationKind.HOSTED_PAGE:
        return RequiresAction(View(ViewStatus.REQUIRES_ACTION, operation.currency, None, "cs_1", PAGE), PAGE)
    return yes(operation)


def begun(scene: Scene, key: str = KEY) -> dict[str, Any]:
    """A driver has said yes to the price."""
    headers = {"Accept": "application/json", "Idempotency-Key": key}
    answer = scene.client().post(f"/evse/{EVSE}/pay", headers=headers)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_the_price_is_shown_before_the_start(scene: Scene) -> None:
    """Derived from the tariff that will rate the session, with what is held and what holds at other times."""
    answer = scene.client().get(f"/evse/{EVSE}")
    assert answer.status_code == 200
    for said in ("£0.35", "£0.25", "£0.38", "per kWh", "07:00 to 20:00", "£45.00", "include tax"):
        assert said in answer.text, said


def test_an_evse_that_is_none_and_one_that_nobody_adopted_are_not_there(scene: Scene) -> None:
    """Nothing is sold at a station that is not ours."""
    scene.knock("NEW1")
    for code in ("GB*TWA*ENOPE*1", "NEW1"):
        assert scene.client().get(f"/evse/{code}").status_code == 404
        assert scene.client().post(f"/evse/{code}/pay").status_code == 404


def test_paying_again_under_the_same_key_is_one_payment(scene: Scene) -> None:
    """The first answer was lost, or the button was pressed twice."""
    assert begun(scene) == begun(scene)
    assert begun(scene, "a77c5f0e-9f4b-4f43-8d0e-4a3c6a2a1d02") != begun(scene)
    assert len(scene.house.ask_now(scene.house.views.payments, scene.operator)["items"]) == 2


@pytest.mark.parametrize("key", ["1", "pay", "0" * 36, "00000000-0000-0000-0000-000000000001"])
def test_a_key_that_two_drivers_may_think_of_is_refused(scene: Scene, key: str) -> None:
    """The second one would be sent to the first one's page, and could stop that session."""
    headers = {"Accept": "application/json", "Idempotency-Key": key}
    answer = scene.client().post(f"/evse/{EVSE}/pay", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.guessable_idempotency_key")
    assert scene.house.ask_now(scene.house.views.payments, scene.operator)["items"] == []


def test_the_price_and_the_payment_are_one_transaction(scene: Scene) -> None:
    """The payment carries the offer that the driver has seen: a price that changes later is not theirs."""
    begun(scene)
    [payment] = scene.house.ask_now(scene.house.views.payments, scene.operator)["items"]
    offer = scene.do(lambda work, key: work.offers.get(key), payment["offer_id"])
    assert offer.shown["name"] == "City day and night"
    assert payment["amount_minor"] == 4500


def test_a_browser_is_led_from_the_price_over_the_provider_s_page_to_the_session(scene: Scene) -> None:
    """Hold first, then start: each step knows the next."""
    client = scene.client()
    answer = client.post(f"/evse/{EVSE}/pay")
    assert answer.status_code == 303
    waiting = answer.headers["location"]
    assert waiting.startswith("/pay/")
    page = client.get(waiting)
    assert page.status_code == 200
    assert 'http-equiv="refresh"' in page.text
    scene.collect_once(page_first)
    assert client.get(waiting).headers["location"] == PAGE
    assert client.get(f"{waiting}.json").json() == {
        "state": "requires_action", "reason": None, "reader": None, "hosted_page_url": PAGE, "session_url": None,
    }  # fmt: skip
    back = client.get(f"{waiting}?paid=true")
    assert back.status_code == 200, "whoever comes back from the provider's page is not sent there again"
    assert "Your payment is being confirmed" in back.text
    scene.hold_placed()
    assert "Plug in now" in client.get(waiting).text
    scene.start_paid()
    [tag] = scene.do(lambda work, _: list(work.tokens.by(type="AD_HOC_USER")), None)
    transaction = scene.wire().start(meter=0, token=tag.uid, evse=2)
    session = scene.session(transaction)
    answer = client.get(waiting)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/s/{session['driver_secret']}")
    assert client.get(f"{waiting}.json").json()["session_url"] == f"/s/{session['driver_secret']}"


def test_the_cost_while_charging_is_worked_out_by_the_rule_of_the_invoice(scene: Scene) -> None:
    """The live figure at the last reading is what the invoice would say at that moment."""
    wire = scene.wire()
    transaction = wire.start(meter=0)
    scene.later(20)
    wire.sample(transaction, (scene.now, 10_000_000))
    secret = scene.session(transaction)["driver_secret"]
    live = scene.client().get(f"/s/{secret}.json").json()
    assert live["cost"]["final"] is False
    assert live["energy_wh"] == "10000"
    # What comes next is worked out, too: 30 kW for a minute, and the other price of the day.
    assert live["ahead"]["minute"] in {"£0.18", "£0.13"}
    assert live["ahead"]["then"] in (["£0.25 per kWh"], ["£0.35 per kWh"])
    shown = scene.client().get(f"/s/{secret}", headers={"Accept-Language": "de"}).text
    assert "Nächste Minute" in shown
    assert "0,25\xa0£ pro kWh" in shown or "0,35\xa0£ pro kWh" in shown
    wire.stop(transaction, 10_000_000)
    assert scene.client().get(f"/s/{secret}.json").json()["ahead"] is None
    final = scene.client().get(f"/s/{secret}.json").json()
    assert final["cost"]["final"] is True
    assert final["cost"]["gross_minor"] == live["cost"]["gross_minor"]


def test_the_page_of_a_finished_session_shows_invoice_and_payment(scene: Scene) -> None:
    """What it cost, line by line, with its reason; and how it was paid."""
    transaction = scene.wire().charge(10_000_000)
    scene.collect()
    session = scene.session(transaction)
    text = scene.client().get(f"/s/{session['driver_secret']}").text
    for said in (
        "10.000",
        session["invoice"],
        "Energy",
        "Session fee",
        "of which tax at 20 %",
        "Paid",
        "4241",
        "All is paid",
    ):
        assert said in text, said
    answer = scene.client().get(f"/s/{session['driver_secret']}.pdf")
    assert (answer.status_code, answer.json()["code"]) == (404, "invoices.not_printed_yet")


def test_a_page_that_shows_a_held_session_asks_for_nothing(scene: Scene) -> None:
    """The driver reads that somebody looks, not what is wrong."""
    transaction = scene.wire().charge(900_000_000, minutes=5)
    session = scene.session(transaction)
    assert session["state"] == "held"
    text = scene.client().get(f"/s/{session['driver_secret']}").text
    assert "Being checked" in text
    assert "You pay nothing until that is done" in text


def test_a_provider_that_says_yes_at_once_needs_no_page(scene: Scene) -> None:
    """Then the hold is there before the driver looks again."""
    told = begun(scene)
    scene.collect()
    state = scene.client().get(told["status_url"]).json()["state"]
    assert state == "authorised"


def test_where_a_code_is_shown_only_who_has_scanned_it_pays(scene: Scene) -> None:
    """The page of a sticker has no button; the page of the display has one, and it works once."""
    told = scene.do(set_web_code, SetWebCode(EVSE, f"http://testserver/evse/{EVSE}"))
    client = scene.client()
    plain = client.get(f"/evse/{EVSE}")
    assert "Scan the code on the station" in plain.text
    assert '/pay"' not in plain.text
    code = code_in(told.secret, window_at(scene.house.machine.now(), told.validity_seconds), told.length)
    page = client.get(f"/evse/{EVSE}", params={"totp": code})
    [action] = re.findall(r'action="([^"]*/pay[?][^"]*)"', page.text)
    first = client.post(html.unescape(action), headers={"accept": "application/json"})
    assert first.status_code == 202
    again = client.post(html.unescape(action), headers={"accept": "application/json"})
    assert (again.status_code, again.json()["code"]) == (400, "evses.code_used")
    made_up = client.post(f"/evse/{EVSE}/pay?scanned=x.y", headers={"accept": "application/json"})
    assert (made_up.status_code, made_up.json()["code"]) == (400, "evses.code_missing")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"most_money": "12,50", "most_kwh": "20.5"}, {"gross_minor": 1250, "milliwatt_hours": 20_500_000}),
        ({"most_minutes": "90", "most_money": ""}, {"seconds": 5400}),
    ],
)
def test_a_driver_says_before_paying_what_is_the_most(
    scene: Scene, typed: dict[str, str], kept: dict[str, int]
) -> None:
    """Typed as people write it, with a comma or a point."""
    assert scene.client().post(f"/evse/{EVSE}/pay", data=typed, follow_redirects=False).status_code == 303
    [row] = scene.do(lambda work, _: work.wanted_limits.by(), None)
    assert row.limits == kept


@pytest.mark.parametrize("typed", ["0", "-3", "a lot", "1e9", "99999999"])
def test_a_limit_that_is_none_is_told_to_the_driver(scene: Scene, typed: str) -> None:
    """Better than a session that ends at once, or that nobody limits."""
    answer = scene.client().post(f"/evse/{EVSE}/pay", data={"most_kwh": typed}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "sessions.bad_limit")
