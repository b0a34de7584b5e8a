"""What a driver may do from their own pages: find the post, start with the account, stop what is theirs and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.roles import Role
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.provider import Succeeded, View, ViewStatus
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.keep_own_account import OpenBalance, open_balance
from tests.entrypoints.http.test_console_tariffs import csrf
from tests.entrypoints.http.test_driver import PAGE, page_first

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

EVSE = "GB*TWA*ECP1*2"


def paid(scene: Scene) -> tuple[TestClient, dict[str, Any]]:
    """A browser that has paid, and the session that began with it."""
    client = scene.client()
    waiting = client.post(f"/evse/{EVSE}/pay").headers["location"]
    scene.collect_once(page_first)
    scene.hold_placed()
    scene.start_paid()
    [tag] = scene.do(lambda work, _: list(work.tokens.by(type="AD_HOC_USER")), None)
    session = scene.session(scene.wire().start(meter=0, token=tag.uid, evse=2))
    assert client.get(waiting).headers["location"] == f"/s/{session['driver_secret']}"
    return client, session


def stops(scene: Scene) -> list[dict[str, Any]]:
    """The stops that stations were asked for."""
    rows = scene.house.ask_now(scene.house.views.commands, scene.operator)
    return [row for row in rows if row["action"] == "stop"]


def test_the_browser_that_paid_may_stop_and_pressing_twice_asks_once(scene: Scene) -> None:
    """And the page says that the station was asked."""
    client, session = paid(scene)
    page = f"/s/{session['driver_secret']}"
    assert "Stop now" in client.get(page).text
    for _ in range(2):
        assert client.post(f"{page}/stop").status_code == 303
    [stop] = stops(scene)
    assert stop["session_id"] == session["id"]
    assert stop["requested_by"] == f"driver:{session['payment_id']}"
    text = client.get(page).text
    assert "being asked to stop" in text
    assert "Stop now" not in text


def test_a_link_that_was_passed_on_only_shows(scene: Scene) -> None:
    """The driver sends the page to a friend; the friend cannot end the charging."""
    _, session = paid(scene)
    friend = scene.client()
    page = f"/s/{session['driver_secret']}"
    assert "Stop now" not in friend.get(page).text
    friend.cookies.set("tallywatt_paid", "guessed")
    answer = friend.post(f"{page}/stop")
    assert (answer.status_code, answer.json()["code"]) == (403, "sessions.not_yours")
    assert stops(scene) == []


def test_a_signed_in_driver_stops_their_own_session_and_nobody_elses(scene: Scene) -> None:
    """C1's card started it: C1 may stop it, C2 may look if it has the link, and not more."""
    session = scene.session(scene.wire().start(meter=0, token="CARD1"))
    page = f"/s/{session['driver_secret']}"
    own, other = scene.signed_in(Role.DRIVER, "C1"), scene.signed_in(Role.DRIVER, "C2")
    assert "Stop now" in own.get(page).text
    assert "Stop now" not in other.get(page).text
    assert _send(other, f"{page}/stop").status_code == 403
    assert own.post(f"{page}/stop").status_code == 403, "a form without its token comes from elsewhere"
    assert _send(own, f"{page}/stop").status_code == 303
    assert len(stops(scene)) == 1


def test_a_session_that_is_over_is_not_stopped(scene: Scene) -> None:
    """The page was open in another tab."""
    session = scene.session(scene.wire().charge(4_000_000, token="CARD1"))
    own = scene.signed_in(Role.DRIVER, "C1")
    page = f"/s/{session['driver_secret']}"
    answer = own.post(f"{page}/stop", data={"csrf": _token(own)})
    assert (answer.status_code, answer.json()["code"]) == (409, "sessions.not_running")


def test_a_driver_starts_with_the_account(scene: Scene) -> None:
    """As if the card had been shown at the post; twice pressed is one start, and it is written down who asked."""
    own = scene.signed_in(Role.DRIVER, "C1")
    for _ in range(2):
        answer = own.post("/evse/GB*TWA*ECP2*1/start", data={"csrf": _token(own)})
        assert answer.headers["location"] == "/me?started=true"
    [start] = [
        row for row in scene.house.ask_now(scene.house.views.commands, scene.operator) if row["action"] == "start"
    ]
    assert start["requested_by"].startswith("person:")
    assert "Plug in now" in own.get("/me?started=true").text
    answer = own.post("/evse/GB*TWA*ENOPE*1/start", data={"csrf": _token(own)})
    assert answer.status_code == 404


def test_the_history_shows_what_this_customer_charged(scene: Scene) -> None:
    """With the sum, the way to the receipt, and nothing of anybody else."""
    wire = scene.wire()
    wire.charge(10_000_000, token="CARD1")
    wire.charge(4_000_000, meter=10_000_000, token="CARD2")
    running = wire.start(meter=14_000_000, token="CARD1")
    scene.collect()
    text = scene.signed_in(Role.DRIVER, "C1").get("/me").text
    mine, other = scene.session("1"), scene.session("2")
    assert f"/s/{mine['driver_secret']}.pdf" in text
    assert f"/s/{scene.session(running)['driver_secret']}" in text
    assert other["driver_secret"] not in text
    fleet = scene.signed_in(Role.FLEET_MANAGER, "C1", "C2").get("/me").text
    assert mine["driver_secret"] in fleet
    assert other["driver_secret"] in fleet


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("GB*TWA*ECP1*2", "/evse/GB*TWA*ECP1*2"),
        ("gb twa ecp1 2", "/evse/GB*TWA*ECP1*2"),
        ("GBTWAECP12", "/evse/GB*TWA*ECP1*2"),
        ("cp12", "/evse/GB*TWA*ECP1*2"),
    ],
)
def test_the_number_on_the_post_is_found_however_it_is_typed(scene: Scene, typed: str, place: str) -> None:
    """Nobody types stars on a phone."""
    assert scene.client().get("/go", params={"code": typed}).headers["location"] == place


def test_a_number_that_is_several_or_none_is_told(scene: Scene) -> None:
    """A station's name leads to its charging points; a wrong number to a sentence that says what to do."""
    client = scene.client()
    both = client.get("/go", params={"code": "CP1"})
    assert both.status_code == 200
    for number in (1, 2):
        assert f"/evse/GB%2ATWA%2AECP1%2A{number}" in both.text
    for typed in ("nowhere", "%%%", "' or 1=1", "__", "\u00e4\u00f6\u00fc"):
        answer = client.get("/go", params={"code": typed})
        assert answer.status_code == 404
        assert "no charging point with this number" in answer.text


@pytest.mark.parametrize(
    ("status", "said", "payable"),
    [
        ("Available", "Free", True),
        ("Preparing", "Plugged in, ready", True),
        ("Charging", "Somebody is charging here", False),
        ("Faulted", "does not work at the moment", False),
    ],
)
def test_the_page_says_what_to_do_when_a_place_is_not_free(scene: Scene, status: str, said: str, payable: bool) -> None:
    """Nothing is held on a card for a place that is taken or broken, and the free one beside it is named."""
    wire = scene.wire("CP2")
    wire.report("Available", evse=2)
    wire.report(status, evse=1)
    text = scene.client().get("/evse/GB*TWA*ECP2*1").text
    assert said in text
    assert ("Pay by card" in text) is payable
    assert ("Free at this place" in text) is not payable


def _token(client: TestClient) -> str:
    """The token of the forms of a signed-in driver, from a page that has one."""
    text = client.get("/evse/GB*TWA*ECP3*1").text
    return text.partition('name="csrf" value="')[2].partition('"')[0]


def _send(client: TestClient, form: str) -> Any:
    """Send a form of a page with the token that the driver's pages carry."""
    return client.post(form, data={"csrf": _token(client)})


def test_a_driver_tops_up_on_the_providers_page_and_reads_what_is_there(scene: Scene) -> None:
    """Pressed twice it is one page; after it the driver reads of a balance, and nothing of a cable or a hold."""
    scene.do(add_provider_account, AddProviderAccount("balances", "prepaid", ("GBP",), "", ()))
    with scene.signed_in(Role.DRIVER, "C1") as client:
        assert "/me/top-ups" not in client.get("/me").text
        scene.do(open_balance, OpenBalance("C1", "GBP"))
        form = {"csrf": csrf(client, "/me"), "currency": "GBP", "amount": "25.00", "once": "drawn with the form"}
        assert client.post("/me/top-ups", data={**form, "amount": "much"}).status_code == 400
        way = client.post("/me/top-ups", data=form).headers["location"]
        assert client.post("/me/top-ups", data=form).headers["location"] == way
        assert "One moment" in client.get(way).text
        scene.collect_once(page_first)
        assert client.get(way).headers["location"] == PAGE
        back = client.get(f"{way}?paid=true")
        assert "being confirmed" in back.text
        [payment] = scene.do(lambda work, _: work.payments.by(purpose="top_up"), None)
        view = View(ViewStatus.CAPTURED, "GBP", "pi_1", authorised_minor=2500, captured_minor=2500)
        scene.do(apply_provider_fact, ProviderFact(payment.payment_id, Succeeded(view), Source.WEBHOOK))
        done = client.get(f"{way}?paid=true").text
        assert "Paid in" in done
        assert "Plug in" not in done
        assert "£25.00" in client.get("/me").text


def test_nobody_tops_up_for_several_customers_at_once(scene: Scene) -> None:
    """A fleet's manager sees no balance here: whose it would be is not clear."""
    with scene.signed_in(Role.FLEET_MANAGER, "C1", "C2") as client:
        form = {"csrf": csrf(client, "/account"), "currency": "GBP", "amount": "25.00", "once": "drawn"}
        assert client.post("/me/top-ups", data=form).status_code == 404
