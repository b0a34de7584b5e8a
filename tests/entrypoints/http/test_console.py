"""The console: every figure leads down to the frames, and what waits for a person can be worked off."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tallywatt.customers.roles import Role
from tallywatt.payments.provider import Declined
from tallywatt.workflows.jobs import Job, JobState

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

PAGES = (
    "/console", "/console/sessions", "/console/sessions?state=held", "/console/sessions?reason=lost_stop", "/console/explained",
    "/console/stations", "/console/stations/CP1", "/console/payments", "/console/payments?state=owed", "/console/invoices",
    "/console/invoices?owed=true", "/console/inbox", "/console/inbox?state=resolved", "/console/jobs", "/docs",
    "/console/imports", "/console/audits", "/console/settlements", "/console/settlements?state=resolved", "/console/disputes",
    "/console/bank", "/console/bank?state=transfer", "/console/debits",
)  # fmt: skip


def send(client: TestClient, path: str, **fields: str) -> Any:
    """Send a form as the page would."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/console").text)
    assert found is not None
    return client.post(path, data={"csrf": found[1], **fields})


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_empty_house_says_what_will_be_there(scene: Scene, path: str) -> None:
    """The first thing that a new operator sees is never a blank."""
    answer = scene.signed_in().get(path)
    assert answer.status_code == 200, answer.text


def test_from_a_figure_down_to_the_frame_that_a_station_sent(scene: Scene) -> None:
    """Overview, list, session, reading, frame: each a link on the page before."""
    wire = scene.wire()
    wire.charge(10_000_000)
    wire.charge(4_000_000, meter=10_000_000, token="NOBODY")
    scene.collect()
    client = scene.signed_in()
    overview = client.get("/console").text
    assert "14.000" in overview
    assert "Every watt-hour is billed or explained" in overview
    listed = client.get(link(overview, r"/console/sessions\?state=billed")).text
    session = client.get(link(listed, r"/console/sessions/[0-9a-f-]{36}")).text
    frame = client.get(link(session, r"/console/frames/[0-9a-f-]{36}"))
    assert frame.status_code == 200
    assert "MeterValues" in frame.text
    assert "sampledValue" in frame.text
    explained = client.get(link(overview, "/console/explained")).text
    held = client.get(link(explained, r"/console/sessions\?reason=unknown_payer")).text
    assert "4.000" in held


def test_what_a_station_sent_is_for_who_works_at_stations(scene: Scene) -> None:
    """Cards and serial numbers are in it: pages and API ask for the same, and who may not is shown no way there."""
    scene.wire().charge(10_000_000)
    frame = scene.session("1")["frames"][0]["id"]
    page = f"/console/sessions/{scene.session('1')['id']}"

    for role, status in ((Role.OPERATIONS, 200), (Role.READ_ONLY, 403), (Role.SUPPORT, 403), (Role.FINANCE, 403)):
        client = scene.signed_in(role)
        assert client.get(f"/console/frames/{frame}").status_code == status, role
        assert client.get(f"/frames/{frame}").status_code == status, role
        assert ("/console/frames/" in client.get(page).text) == (status == 200), role


def link(text: str, pattern: str) -> str:
    """The first link on a page that looks like this."""
    found = re.search(f'href="({pattern})"', text)
    assert found is not None, pattern
    return found[1].replace("&amp;", "&")


def test_the_money_equation_holds_and_leads_to_what_is_owed(scene: Scene) -> None:
    """Billed = captured + owed, with an invoice behind each unpaid penny."""
    scene.wire().charge(10_000_000)
    scene.collect(lambda _: Declined("insufficient_funds", "later", "no"))
    client = scene.signed_in()
    session = scene.session()
    assert session["owed_minor"] == session["total_minor"] > 0
    assert "The books agree" in client.get("/console").text
    assert session["invoice"] in client.get("/console/invoices?owed=true").text


def test_a_knocking_station_is_adopted_by_one_click(scene: Scene) -> None:
    """Location, EVSEs and current come with it."""
    scene.knock("NEW1")
    client = scene.signed_in()
    assert "NEW1" in client.get("/console/stations").text
    answer = send(client, "/console/stations/NEW1/adopt", location="queen-street", evses="2", current="dc", max_kw="50")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/stations/NEW1?said=adopted")
    station = scene.station("NEW1")
    assert (station["state"], station["location"]) == ("adopted", "queen-street")
    assert [(one["current"], one["max_watts"]) for one in station["evses"]] == [("dc", 50_000)] * 2


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"action": "reset", "how": "hard"}, "reset"),
        ({"action": "unlock", "evse": "GB*TWA*ECP1*1"}, "unlock"),
        ({"action": "availability", "evse": "GB*TWA*ECP1*1", "how": "inoperative"}, "availability"),
        ({"action": "start", "evse": "GB*TWA*ECP1*1", "tag": "CARD1"}, "start"),
    ],
)
def test_a_station_is_commanded_from_its_page(scene: Scene, fields: dict[str, str], action: str) -> None:
    """The command is written down, sent by a job, and shown where it stands."""
    client = scene.signed_in()
    assert send(client, "/console/stations/CP1/commands", **fields).status_code == 303
    [command] = scene.house.ask_now(scene.house.views.commands, scene.operator)
    assert (command["action"], command["state"]) == (action, "requested")
    assert command["requested_by"].startswith("person:")
    assert scene.house.ask_now(scene.house.views.jobs, scene.operator, "ready") != []


def test_a_running_session_is_stopped_from_its_page(scene: Scene) -> None:
    """The station is asked; the session ends when it says so."""
    transaction = scene.wire().start(meter=0)
    session = scene.session(transaction)
    client = scene.signed_in()
    assert "Stop charging" in client.get(f"/console/sessions/{session['id']}").text
    assert send(client, f"/console/sessions/{session['id']}/stop").status_code == 303
    [command] = scene.house.ask_now(scene.house.views.commands, scene.operator)
    assert (command["action"], command["session_id"]) == ("stop", session["id"])


def test_a_held_session_is_released_with_the_customer_who_owes(scene: Scene) -> None:
    """One click and a name: billed, and its explanation taken back."""
    scene.wire().charge(4_000_000, token="NOBODY")
    client = scene.signed_in()
    [item] = scene.house.ask_now(scene.house.views.inbox, scene.operator)["items"]
    refused = send(client, f"/console/inbox/{item['id']}", decision="release")
    assert refused.status_code == 409
    answer = send(client, f"/console/inbox/{item['id']}", decision="release", customer="C2", note="found the driver")
    assert answer.status_code == 303
    assert scene.session()["state"] == "billed"
    assert "Nothing waits for you" in client.get("/console/inbox").text
    assert "found the driver" in client.get("/console/inbox?state=resolved").text


def test_a_stop_that_waits_is_matched_on_its_card(scene: Scene) -> None:
    """No rule is broken, and no session is held: the card offers the session that it may have ended, and one click ends it."""
    wire = scene.wire()
    wire.start(meter=0)
    scene.later(60)
    wire.stop("-1", 9_000_000)
    client = scene.signed_in()
    page = client.get("/console/inbox").text
    assert "It may have ended" in page
    assert "End this session by it" in page
    assert "Bill what is proposed" not in page
    [item] = scene.house.ask_now(scene.house.views.inbox, scene.operator)["items"]
    [candidate] = item["detail"]["candidates"]
    assert send(client, f"/console/inbox/{item['id']}", decision="match", session=candidate).status_code == 303
    session = scene.session()
    assert (session["id"], session["state"]) == (candidate, "billed")
    assert "Nothing waits for you" in client.get("/console/inbox").text


def test_a_broken_rule_is_shown_with_what_is_proposed(scene: Scene) -> None:
    """The register fell: what is beyond doubt can be billed with one click, and the rest is explained."""
    wire = scene.wire()
    transaction = wire.start(meter=0)
    wire.sample(transaction, (scene.later(20), 3_000_000), (scene.later(20), 1_000))
    scene.later(20)
    wire.stop(transaction, 2_000_000)
    client = scene.signed_in()
    page = client.get("/console/inbox").text
    assert "The register fell and stayed down" in page
    [item] = scene.house.ask_now(scene.house.views.inbox, scene.operator)["items"]
    assert send(client, f"/console/inbox/{item['id']}", decision="accept").status_code == 303
    session = scene.session()
    assert (session["state"], session["energy_wh"]) == ("billed", item["detail"]["proposed_wh"])


def test_a_held_session_is_written_off(scene: Scene) -> None:
    """Its energy stays explained, for another reason."""
    scene.wire().charge(4_000_000, token="NOBODY")
    client = scene.signed_in()
    [item] = scene.house.ask_now(scene.house.views.inbox, scene.operator)["items"]
    assert send(client, f"/console/inbox/{item['id']}", decision="dismiss").status_code == 409
    assert send(client, f"/console/inbox/{item['id']}", decision="write_off").status_code == 303
    figures = scene.house.ask_now(scene.house.views.overview, scene.operator)["energy"]
    assert (figures["explained_by"], figures["unexplained_wh"]) == ({"written_off": "4000"}, "0")


def test_a_failed_job_is_put_back_in_line(scene: Scene) -> None:
    """With all its attempts before it."""
    scene.do(lambda work, _: work.jobs.add(Job("print_invoice", "x")), None)
    [job] = scene.do(lambda work, _: work.stored_jobs.by(kind="print_invoice"), None)
    scene.do(lambda work, row: work.stored_jobs.put(row), failed(job))
    client = scene.signed_in()
    assert "no paper" in client.get("/console/jobs").text
    assert send(client, f"/console/jobs/{job.job_id}/retry").status_code == 303
    [again] = scene.do(lambda work, _: work.stored_jobs.by(kind="print_invoice"), None)
    assert (again.state, again.attempts) == (JobState.READY, 0)


def failed(job: Any) -> Any:
    """A job that has failed for good."""
    return replace(job, state=JobState.FAILED, attempts=11, last_error="no paper")


def test_money_is_given_back_once_however_often_the_form_is_sent(scene: Scene) -> None:
    """The form carries a key of its own."""
    scene.wire().charge(10_000_000)
    scene.collect()
    payment = scene.session()["payments"][0]
    client = scene.signed_in()
    path = f"/console/payments/{payment['id']}"
    found = re.search(r'name="once" value="([^"]+)"', client.get(path).text)
    assert found is not None
    for _ in range(2):
        assert send(client, f"{path}/refund", amount="1.50", reason="kind", once=found[1]).status_code == 303
    scene.collect()
    row = scene.session()["payments"][0]
    assert (row["refunded_minor"], row["state"]) == (150, "captured")
    assert "£1.50" in client.get(path).text
    assert send(client, f"{path}/refund", amount="1000", once="other").status_code == 409


def test_what_is_typed_is_shown_as_text(scene: Scene) -> None:
    """A token, a note, a station's vendor: none of them is markup."""
    scene.wire().charge(4_000_000, token="<b>x</b>")
    client = scene.signed_in()
    text = client.get("/console/sessions").text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x</b>" not in text
