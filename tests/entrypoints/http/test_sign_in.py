"""Ways in by letter: a link, a code, an invitation; with a real mail server, and without one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.workflows.add_person import AddPerson, EndMembership, add_person, end_membership
from tallywatt.workflows.ask_to_sign_in import MOST_LETTERS, MOST_TRIES
from tests.entrypoints.scene import Scene
from tests.mailbox import Mailbox, code_in, link_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient

ANN = "ann@dundee.example"


@pytest.fixture
def mailbox(scene: Scene) -> Iterator[Mailbox]:
    """A mail server that the house knows, and somebody with an address."""
    with Mailbox() as server:
        scene.house.settings.smtp_url = server.url
        scene.do(add_person, AddPerson("Ann Reid", ANN, Role.SUPPORT))
        yield server


def deliver(scene: Scene) -> None:
    """The worker writes what letters there are."""
    lane = LANES["letters"]
    workers = Workers(scene.house, (lane,))
    while workers.step(lane):
        pass


def ask(scene: Scene, client: TestClient, email: str = ANN, **headers: str) -> None:
    """Ask for a link, and let it be delivered."""
    answer = client.post("/sign-in/email", data={"email": email}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/sent")
    deliver(scene)


def test_a_link_of_a_letter_lets_in_once(scene: Scene, mailbox: Mailbox) -> None:
    """In the browser that asked, by a button."""
    client = scene.client()
    ask(scene, client, " Ann@Dundee.EXAMPLE ")
    [letter] = mailbox.letters
    assert letter["to"] == ANN
    link = link_in(letter)
    assert "Welcome, Ann Reid" in client.get(link).text
    assert client.post(link).headers["location"] == "/"
    assert client.get("/").headers["location"] == "/console"
    assert client.get("/console").status_code == 200
    assert client.get(link).status_code == 401
    assert scene.client().post(link).status_code == 401
    [session] = scene.do(lambda work, _: work.console_sessions.by(), None)
    assert session.way == "email"


def test_a_scanner_of_letters_neither_comes_in_nor_uses_a_link_up(scene: Scene, mailbox: Mailbox) -> None:
    """It follows links, and some press buttons too."""
    client, scanner = scene.client(), scene.client()
    ask(scene, client)
    link = link_in(mailbox.letters[0])
    for _ in range(3):
        assert scanner.get(link).status_code == 200
        answer = scanner.post(link, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (401, "access.other_browser")
    assert client.post(link).status_code == 303


def test_a_letter_opened_on_the_phone_lets_in_at_the_desk_by_its_code(scene: Scene, mailbox: Mailbox) -> None:
    """The phone's browser did not ask: it shows the code of the letter."""
    desk, phone = scene.client(), scene.client()
    ask(scene, desk)
    [letter] = mailbox.letters
    code = code_in(letter)
    assert code in phone.get(link_in(letter)).text
    assert code in str(letter["subject"])
    assert phone.post("/sign-in/code", data={"code": code}).status_code == 401
    assert desk.post("/sign-in/code", data={"code": code}).status_code == 303
    assert desk.get("/console").status_code == 200
    assert desk.post("/sign-in/code", data={"code": code}).status_code == 401


def test_a_code_cannot_be_guessed(scene: Scene, mailbox: Mailbox) -> None:
    """After five wrong ones the right one is wrong too; the link itself stays good."""
    client = scene.client()
    ask(scene, client)
    code = code_in(mailbox.letters[0])
    wrong = "000000" if code != "000 000" else "111111"
    for _ in range(MOST_TRIES):
        assert client.post("/sign-in/code", data={"code": wrong}).status_code == 401
    assert client.post("/sign-in/code", data={"code": code}).status_code == 401
    assert client.post(link_in(mailbox.letters[0])).status_code == 303


def test_a_code_may_be_typed_in_the_digits_of_any_script(scene: Scene, mailbox: Mailbox) -> None:
    """A phone's keyboard may be set to Arabic; and what only looks like a digit is a wrong code."""
    client = scene.client()
    ask(scene, client)
    code = code_in(mailbox.letters[0])
    assert client.post("/sign-in/code", data={"code": "\N{SUPERSCRIPT TWO}" * 6}).status_code == 401
    arabic = "".join(chr(ord("\N{ARABIC-INDIC DIGIT ZERO}") + int(one)) if one.isdigit() else one for one in code)
    assert client.post("/sign-in/code", data={"code": arabic}).status_code == 303


def test_nobody_learns_who_has_an_account(scene: Scene, mailbox: Mailbox) -> None:
    """The same answer, byte for byte, and no letter to a stranger."""
    known, unknown = scene.client(), scene.client()
    first = known.post("/sign-in/email", data={"email": ANN})
    second = unknown.post("/sign-in/email", data={"email": "nobody@dundee.example"})
    deliver(scene)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    shape = re.compile(r"tallywatt_asked=[^;]+")
    told = [
        [shape.sub("", value) for name, value in one.headers.items() if name != "ratelimit"] for one in (first, second)
    ]
    assert told[0] == told[1]
    assert known.get("/sign-in/sent").content == unknown.get("/sign-in/sent").content
    assert [letter["to"] for letter in mailbox.letters] == [ANN]


def test_nobody_fills_a_mailbox(scene: Scene, mailbox: Mailbox) -> None:
    """A few letters an hour, whoever asks, and nothing tells the asker."""
    for _ in range(MOST_LETTERS + 3):
        ask(scene, scene.client())
    assert len(mailbox.letters) == MOST_LETTERS


def test_a_letter_speaks_the_language_of_whoever_asked(scene: Scene, mailbox: Mailbox) -> None:
    """The worker who writes it has none of its own."""
    for wished in ("de-AT", "en"):
        ask(scene, scene.client(), **{"Accept-Language": wished})
    jobs = scene.do(lambda work, _: work.stored_jobs.by(kind="send_letter"), None)
    assert sorted(job.payload["language"] for job in jobs) == ["de", "en"]


def test_a_letter_goes_to_each_operator_s_person_of_that_address(scene: Scene, mailbox: Mailbox) -> None:
    """Somebody who works for two gets a way in to each, and each leads there."""
    other = Scene.beside(scene, "perth").furnish()
    other.do(add_person, AddPerson("Ann Reid", ANN, Role.OWNER))
    client = scene.client()
    ask(scene, client)
    assert {letter["from"].addresses[0].display_name for letter in mailbox.letters} == {"Dundee City Charging", "Perth"}
    perth = next(one for one in mailbox.letters if "Perth" in str(one["from"]))
    client.post(link_in(perth))
    assert "Perth" in client.get("/console").text


def test_who_was_removed_gets_no_letter_and_a_letter_on_its_way_opens_nothing(scene: Scene, mailbox: Mailbox) -> None:
    """Between the asking and the opening."""
    client = scene.client()
    ask(scene, client)
    [membership] = scene.do(lambda work, _: work.memberships.by(), None)
    scene.do(end_membership, EndMembership(membership.membership_id))
    assert client.post(link_in(mailbox.letters[0])).status_code == 401
    ask(scene, scene.client())
    assert len(mailbox.letters) == 1


def test_a_refused_letter_is_a_failed_job_that_names_nobody(scene: Scene, mailbox: Mailbox) -> None:
    """It is seen on the console; the address is not."""
    mailbox.refuses[ANN] = f"550 no mailbox {ANN}"
    ask(scene, scene.client())
    [job] = scene.do(lambda work, _: work.stored_jobs.by(kind="send_letter"), None)
    assert job.state.value == "failed"
    assert ANN not in repr(job)


def test_no_secret_of_a_letter_is_kept(scene: Scene, mailbox: Mailbox) -> None:
    """Neither in a row nor in a job: it is made again from the id of the link."""
    ask(scene, scene.client())
    secret = link_in(mailbox.letters[0]).rpartition("/")[2]
    code = code_in(mailbox.letters[0]).replace(" ", "")
    rows = scene.do(lambda work, _: (work.console_links.by(), work.stored_jobs.by(), work.actions.by()), None)
    assert secret not in repr(rows)
    assert f"'{code}'" not in repr(rows)


def test_somebody_comes_to_where_they_wanted_to_go(scene: Scene, mailbox: Mailbox) -> None:
    """And never to another site."""
    for wanted, led in (
        ("/console/payments?state=owed", "/console/payments?state=owed"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/console\r\nSet-Cookie: x=y", "/"),
    ):
        client = scene.client()
        client.get("/sign-in", params={"onward": wanted})
        link = scene.link(Role.SUPPORT).replace("/console/enter/", "/sign-in/link/")
        assert client.post(link).headers["location"] == led


def test_what_is_no_address_is_said_at_once(scene: Scene, mailbox: Mailbox) -> None:
    """That tells nothing about anybody."""
    answer = scene.client().post("/sign-in/email", data={"email": "ann"})
    assert answer.status_code == 400
    assert "not an e-mail address" in answer.text


def test_without_a_mail_server_the_page_says_how_to_get_in(scene: Scene) -> None:
    """And a form sent all the same does nothing."""
    client = scene.client()
    assert "tallywatt console-link" in client.get("/sign-in").text
    scene.do(add_person, AddPerson("Ann Reid", ANN, Role.SUPPORT))
    ask(scene, client)
    assert scene.do(lambda work, _: work.stored_jobs.by(kind="send_letter"), None) == []


def token(client: TestClient, path: str = "/console") -> str:
    """The token of the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


PEOPLE = "/console/settings/people"


def test_an_owner_invites_by_letter_and_the_guest_comes_in_by_a_name(scene: Scene, mailbox: Mailbox) -> None:
    """From the form to the first page of the new member."""
    owner = scene.signed_in(Role.OWNER)
    data = {"csrf": token(owner), "email": "ben@dundee.example", "role": "finance"}
    assert owner.post(f"{PEOPLE}/invitations", data=data).status_code == 303
    assert "ben@dundee.example" in owner.get(PEOPLE).text
    deliver(scene)
    link = link_in(mailbox.letters[0])
    guest = scene.client()
    assert "Finance" in guest.get(link).text
    assert guest.post(link, data={"name": " "}).status_code == 400
    assert guest.post(link, data={"name": "Ben Low"}).status_code == 303
    assert guest.get("/console").status_code == 200
    assert guest.get(PEOPLE).status_code == 403
    assert scene.client().post(link, data={"name": "Eve"}).status_code == 401
    assert "Ben Low" in owner.get(PEOPLE).text


def test_without_a_mail_server_the_console_shows_the_link(scene: Scene) -> None:
    """The owner hands it over; a driver comes in by it to their own page."""
    owner = scene.signed_in(Role.OWNER)
    data = {"csrf": token(owner), "email": "dee@dundee.example", "role": "driver", "customers": "C1"}
    owner.post(f"{PEOPLE}/invitations", data=data)
    found = re.search(r'value="[^"]+(/invitation/[A-Z0-9]+)"', owner.get(PEOPLE).text)
    assert found is not None
    driver = scene.client()
    assert driver.post(found[1], data={"name": "Dee"}).status_code == 303
    assert driver.get("/").headers["location"] == "/me"
    assert driver.get("/account").status_code == 200
    assert driver.get("/console").status_code == 403


def test_an_invitation_is_taken_back_on_the_console(scene: Scene, mailbox: Mailbox) -> None:
    """The letter that is on its way opens nothing."""
    owner = scene.signed_in(Role.OWNER)
    owner.post(f"{PEOPLE}/invitations", data={"csrf": token(owner), "email": "ben@dundee.example", "role": "support"})
    deliver(scene)
    [row] = scene.do(lambda work, _: work.invitations.by(), None)
    assert (
        owner.post(f"{PEOPLE}/invitations/{row.invitation_id}/revoke", data={"csrf": token(owner)}).status_code == 303
    )
    assert scene.client().get(link_in(mailbox.letters[0])).status_code == 401


def test_what_stops_an_invitation_is_said_above_the_form(scene: Scene) -> None:
    """With what was typed still there."""
    owner = scene.signed_in(Role.OWNER)
    data = {"csrf": token(owner), "email": "dee@dundee.example", "role": "driver", "customers": "nobody"}
    answer = owner.post(f"{PEOPLE}/invitations", data=data)
    assert answer.status_code == 400
    assert "There is no customer" in answer.text
    assert "dee@dundee.example" in answer.text


def test_an_owner_changes_a_role_signs_somebody_out_and_takes_the_role_away(scene: Scene) -> None:
    """And stays an owner, as the last one."""
    owner = scene.signed_in(Role.OWNER)
    client = scene.signed_in(Role.SUPPORT)
    [support] = scene.do(lambda work, _: work.memberships.by(role="support"), None)
    page = f"{PEOPLE}/{support.membership_id}"
    csrf = token(owner, page)
    assert owner.post(f"{page}/sign-out", data={"csrf": csrf}).status_code == 303
    assert client.get("/console").status_code == 401
    moved = owner.post(f"{page}/role", data={"csrf": csrf, "role": "read_only"}).headers["location"]
    assert owner.get(moved).status_code == 200
    assert owner.get(page).status_code == 404
    assert owner.post(f"{moved.partition('?')[0]}/remove", data={"csrf": csrf}).status_code == 303
    [own] = scene.do(lambda work, _: work.memberships.by(role="owner"), None)
    answer = owner.post(f"{PEOPLE}/{own.membership_id}/remove", data={"csrf": csrf})
    assert answer.status_code == 400
    assert "last owner" in answer.text


def test_whoever_opened_the_first_run_link_says_who_they_are(scene: Scene) -> None:
    """From then on what they do is theirs."""
    client = scene.signed_in()
    data = {"csrf": token(client, "/account"), "name": "Ann Reid", "email": ANN}
    assert client.post("/account/claim", data=data).status_code == 303
    assert "Ann Reid" in client.get("/account").text
    assert client.get(PEOPLE).status_code == 200
    assert client.post("/account/claim", data=data).status_code == 400


def test_a_person_signs_out_elsewhere_and_goes_on_in_another_role(scene: Scene) -> None:
    """All on their own page, and never for somebody else."""
    here, phone = scene.signed_in(Role.OWNER), scene.signed_in(Role.OWNER)
    other = scene.signed_in(Role.SUPPORT)
    csrf = token(here, "/account")
    [support] = scene.do(lambda work, _: work.memberships.by(role="support"), None)
    [theirs] = scene.do(lambda work, key: work.console_sessions.by(membership_id=key), support.membership_id)
    answer = here.post(f"/account/sessions/{theirs.console_session_id}/leave", data={"csrf": csrf})
    assert answer.status_code == 404
    assert here.post(f"/account/as/{support.membership_id}", data={"csrf": csrf}).status_code == 404
    assert here.post("/account/leave-everywhere", data={"csrf": csrf}).status_code == 303
    assert [one.get("/account").status_code for one in (here, phone, other)] == [200, 401, 200]

    email = "owner.@dundee.example"
    second = scene.do(add_person, AddPerson("Owner", email, Role.FINANCE))
    before = dict(here.cookies)
    assert here.post(f"/account/as/{second.membership_id}", data={"csrf": csrf}).status_code == 303
    assert here.get(PEOPLE).status_code == 403
    assert here.get("/console").status_code == 200
    stale = scene.client()
    stale.cookies.update(before)
    assert stale.get("/console").status_code == 401


def test_a_key_has_no_account(scene: Scene) -> None:
    """It signs out nobody."""
    assert scene.client().get("/account", headers=scene.key()).status_code == 403
