"""What was charged too little, from the wrong tariff to the driver who pays: API, console, the driver's page, the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.pages.letters import charged_too_little
from tallywatt.entrypoints.pages.session_page import rest
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.errors import Conflict
from tallywatt.payments.provider import Declined
from tallywatt.workflows.ask_rest import TELL_REST
from tallywatt.workflows.change_customer import ChangeCustomer, change_customer
from tallywatt.workflows.jobs import JobState
from tallywatt.workflows.put_tariff import PutTariff, put_tariff
from tallywatt.workflows.tell_customer import gather_rest
from tests.entrypoints.http.test_console_tariffs import csrf
from tests.entrypoints.scene import TARIFF

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

DEARER: dict[str, Any] = {
    **TARIFF,
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.90", "vat": "20", "step_size": 1}]}],
}


def work(scene: Scene) -> None:
    """The worker does what is due."""
    workers = Workers(scene.house, ())
    while workers.step(LANES["corrections"]):
        pass


@pytest.fixture
def correction(scene: Scene) -> str:
    """The id of a correction of one paid session, which is proposed."""
    scene.wire().charge(10_000_000)
    scene.collect()
    put = scene.do(put_tariff, PutTariff(DEARER))
    order = {"tariff": put.version.tariff_version_id, "since": "2000-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}
    made = scene.client().post("/corrections", json={**order, "reason": "wrong price"}, headers=scene.key())
    work(scene)
    return str(made.json()["id"])


def asked(scene: Scene, correction: str, above: int = 0) -> dict[str, Any]:
    """It is asked for through the API, and the card says no; the corrected session as the API tells it."""
    client, headers = scene.client(), scene.key()
    done = client.post(f"/corrections/{correction}/carry-out", json={"ask_above_minor": above}, headers=headers)
    assert (done.status_code, done.json()["ask_above_minor"]) == (202, above)
    work(scene)
    scene.collect(lambda _: Declined("authentication_required", "ask_driver", "no"))
    [one] = client.get(f"/corrections/{correction}/sessions", headers=headers).json()["items"]
    return dict(one)


def test_the_driver_reads_why_and_pays_on_the_page_of_the_session(scene: Scene, correction: str) -> None:
    """The link shows what is missing; pressed twice it is one page; paid, nothing is asked any more."""
    one = asked(scene, correction)
    assert (one["outcome"], one["asked_minor"]) == ("asked", one["now_minor"] - one["was_minor"])
    assert one["new_invoice"] not in (None, one["invoice"])
    secret = scene.session()["driver_secret"]
    client = scene.client()
    shown = client.get(f"/s/{secret}").text
    assert "is still to be paid" in shown
    assert "wrong price" in shown
    ways = {client.post(f"/s/{secret}/rest", follow_redirects=False).headers["location"] for _ in range(2)}
    assert len(ways) == 1
    [way] = ways
    assert "The payment page is being opened" in client.get(way).text
    scene.collect()
    assert client.get(way, follow_redirects=False).headers["location"] == f"/s/{secret}"
    assert "is still to be paid" not in client.get(f"/s/{secret}").text
    again = client.post(f"/s/{secret}/rest", headers={"Accept": "application/json"})
    assert (again.status_code, again.json()["code"]) == (409, "rest.nothing_open")


def test_a_program_has_a_page_opened_and_gives_up_the_rest(scene: Scene, correction: str) -> None:
    """The same through the API; what is paid is not given up any more."""
    one = asked(scene, correction)
    client, headers = scene.client(), scene.key()
    waive = f"/corrections/{correction}/sessions/{one['session_id']}/waive"
    page = {"title": "Rest", "success_url": "https://x.example/{secret}", "cancel_url": "https://x.example/"}
    opened = client.post(f"/sessions/{one['session_id']}/rest-page", json=page, headers=headers)
    assert (opened.status_code, opened.json()["amount_minor"]) == (202, one["asked_minor"])
    assert client.post(waive, headers=headers).json()["code"] == "payment.operation_on_its_way"
    scene.collect()
    told = client.get(opened.json()["status_url"]).json()
    assert (told["state"], told["session_url"]) == ("captured", f"/s/{scene.session()['driver_secret']}")
    assert client.post(waive, headers=headers).json()["code"] == "rest.nothing_open"
    assert client.post("/sessions/nobody/rest-page", json=page, headers=headers).status_code == 404


def test_finance_decides_on_the_console(scene: Scene, correction: str) -> None:
    """Asked for where it is more than a sum; what one payer was asked for is given up later."""
    at = f"/console/corrections/{correction}"
    with scene.signed_in(Role.OWNER) as client:
        token = csrf(client, "/console/corrections")
        form = {"csrf": token, "decision": "carry_out", "too_little": "ask", "ask_above": "x"}
        assert client.post(at, data=form).status_code == 400
        client.post(at, data={**form, "ask_above": "0,10"})
        work(scene)
        scene.collect(lambda _: Declined("insufficient_funds", "later", "no"))
        assert "Asked for" in client.get(at).text
        session = scene.session()["id"]
        done = client.post(at, data={"csrf": token, "decision": "waive", "session": session}, follow_redirects=False)
        assert "said=waived" in done.headers["location"]
        assert "Given up" in client.get(at).text
    assert scene.session()["payments"][-1]["state"] == "abandoned"


def test_the_letter_says_why_how_much_and_where(scene: Scene, correction: str) -> None:
    """It is written once somebody has an address; when all is paid there is nothing to write."""
    scene.do(change_customer, ChangeCustomer("C1", email="one@dundee.example"))
    one = asked(scene, correction)
    jobs = scene.do(lambda work, _: work.stored_jobs.by(kind=TELL_REST), None)
    assert [job.subject_id for job in jobs] == [one["session_id"]]
    told = scene.do(gather_rest, one["session_id"])
    assert told is not None
    assert (told.to, told.reason, told.open_minor, told.paid_by) == (
        "one@dundee.example", "wrong price", one["asked_minor"], ""
    )  # fmt: skip
    scene.client().post(f"/s/{scene.session()['driver_secret']}/rest")
    scene.collect()
    assert scene.do(gather_rest, one["session_id"]) is None


@pytest.mark.parametrize("card_says", ["yes", "no"])
def test_the_letter_waits_for_the_word_of_the_bank(scene: Scene, correction: str, card_says: str) -> None:
    """While the card is being charged nobody is told anything; afterwards what is so, once."""
    scene.do(change_customer, ChangeCustomer("C1", email="one@dundee.example"))
    headers = scene.key()
    scene.client().post(f"/corrections/{correction}/carry-out", json={"ask_above_minor": 0}, headers=headers)
    work(scene)
    [job] = scene.do(lambda work, _: work.stored_jobs.by(kind=TELL_REST), None)
    with pytest.raises(Conflict) as waits:
        scene.do(gather_rest, job.subject_id)
    assert waits.value.code == "payment.operation_on_its_way"
    workers = Workers(scene.house, ())
    while workers.step(LANES["letters"]):
        pass
    [job] = scene.do(lambda work, _: work.stored_jobs.by(kind=TELL_REST), None)
    assert (job.state, job.last_error) == (JobState.READY, "it is being collected just now")
    if card_says == "yes":
        scene.collect()
    else:
        scene.collect(lambda _: Declined("insufficient_funds", "later", "no"))
    told = scene.do(gather_rest, job.subject_id)
    assert told is not None
    letter = charged_too_little(told, "http://x/s/1").text
    assert ("It was charged to your card" in letter, "You can pay it here" in letter) == (
        (True, False) if card_says == "yes" else (False, True)
    )


def test_a_sum_that_no_page_takes_has_no_button(scene: Scene, correction: str) -> None:
    """A provider charges no less than its least: whoever presses would read that it cannot be paid."""
    one = asked(scene, correction)
    told = scene.house.ask_now(scene.house.views.asked_rest, scene.operator, one["session_id"])
    assert told is not None
    row = {"owed_minor": told["asked_minor"], "payments": []}
    shown = [
        rest(row, {**told, "least_minor": least}) for least in (None, told["asked_minor"] + 1, told["least_minor"])
    ]
    assert [one is not None and one["payable"] for one in shown] == [False, False, True]
