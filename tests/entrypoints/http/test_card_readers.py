"""Card readers through the doors: an operator keeps them, a driver at a kiosk chooses the charging point and pays there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.payments.fact import ProviderFact, Source
from tallywatt.payments.operation import OperationKind
from tallywatt.payments.provider import Succeeded, Unknown, View, ViewStatus
from tallywatt.payments.reader import MOST_UNPAID, PAUSE_MS
from tallywatt.stations.command import CommandState
from tallywatt.workflows.apply_provider_fact import apply_provider_fact
from tallywatt.workflows.command_station import end_command
from tallywatt.workflows.start_paid_session import StartPaidSession, start_paid_session
from tallywatt.workflows.void_hold import release_unused
from tests.entrypoints.http.reserved import a_reader
from tests.entrypoints.http.test_console_tariffs import csrf
from tests.workflows.house_of import yes

if TYPE_CHECKING:
    from tallywatt.payments.operation import Operation
    from tallywatt.payments.provider import Outcome
    from tallywatt.workflows.ports import UnitOfWork
    from tests.entrypoints.scene import Scene

EVSE = "GB*TWA*ECP1*1"
ELSEWHERE = "GB*TWA*ECP1*2"
KEY = "0f8c2d1e-5b6a-4c7d-8e9f-a0b1c2d3e4f5"
CONSOLE = "/console/settings/readers"


def asks(operation: Operation) -> Outcome:
    """A provider whose reader asks for the card, and waits."""
    if operation.kind is OperationKind.PRESENT:
        return Succeeded(View(ViewStatus.REQUIRES_ACTION, operation.currency, f"pi_{operation.payment_id}"))
    return yes(operation)


def paid_at_reader(scene: Scene, code: str = EVSE, **form: str) -> Any:
    """A driver has said yes to the price at a kiosk."""
    headers = {"Accept": "application/json", "Idempotency-Key": KEY}
    return scene.client().post(f"/evse/{code}/pay", headers=headers, data={"at": "reader"} | form)


class Knows:
    """A provider that says which readers it has, or nothing."""

    def __init__(self, *readers: str, is_silent: bool = False) -> None:
        self.readers, self.is_silent = readers, is_silent

    def __call__(self, _: object) -> Knows:
        """As the house looks one up by its account."""
        return self

    def knows_reader(self, reader_ref: str) -> bool | Unknown:
        """Whether there is one of that name."""
        return Unknown("timeout") if self.is_silent else reader_ref in self.readers


def test_a_reader_that_its_provider_does_not_know_is_refused_to_who_adds_it(scene: Scene) -> None:
    """By a program and on the console; while the provider is silent it is taken, and looked for later."""
    asked = {"account": "main", "reader_ref": "tmr_1", "label": "Kiosk", "location": "queen-street"}
    providers: Any = Knows("tmr_1")
    scene.house.providers = providers
    refused = scene.client().post("/readers", json=asked | {"reader_ref": "tmr_l"}, headers=scene.key("admin", "read"))
    assert (refused.status_code, refused.json()["code"]) == (400, "readers.unknown_there")
    client = scene.signed_in()
    form = asked | {"reader_ref": "tmr_l", "csrf": csrf(client, CONSOLE)}
    shown = client.post(CONSOLE, data=form)
    assert (shown.status_code, "tmr_l" in shown.text) == (400, True)
    assert scene.do(lambda work, _: work.readers.by(), None) == []
    for ref, is_silent in (("tmr_1", False), ("tmr_2", True)):
        scene.house.providers.is_silent = is_silent  # type: ignore[attr-defined]  # the one above
        more = {"reader_ref": ref, "label": ref}
        added = scene.client().post("/readers", json=asked | more, headers=scene.key("admin", "read"))
        assert added.status_code == 201, added.text


def test_a_driver_at_a_kiosk_pays_at_the_reader_and_the_station_starts(scene: Scene) -> None:
    """The price first, then the reader asks; with the hold comes the start, as from any page."""
    a_reader(scene, "CP1", "tmr_1")
    assert "Pay at the reader: Post 1" in scene.client().get(f"/evse/{EVSE}").text
    assert "Pay at the reader" not in scene.client().get(f"/evse/{ELSEWHERE}").text
    answer = paid_at_reader(scene)
    assert answer.status_code == 202, answer.text
    address = answer.json()["status_url"]

    scene.collect(asks)

    assert scene.client().get(address).json()["reader"] == "Post 1"
    page = scene.client().get(address.removesuffix(".json")).text
    assert "Hold your card to the reader" in page
    [payment] = scene.house.ask_now(scene.house.views.payments, scene.operator)["items"]
    assert [one["kind"] for one in payment["operations"]] == ["prepare", "present"]


def test_who_gives_up_at_the_kiosk_frees_the_reader(scene: Scene) -> None:
    """The next driver need not wait for two minutes."""
    a_reader(scene, "CP1", "tmr_1")
    address = paid_at_reader(scene).json()["status_url"].removesuffix(".json")

    answer = scene.client().post(f"{address}/give-up", headers={"Accept": "application/json"})

    assert answer.status_code == 200, answer.text
    scene.collect(asks)
    [payment] = scene.house.ask_now(scene.house.views.payments, scene.operator)["items"]
    assert (payment["state"], payment["reason"]) == ("voided", "cancelled")
    assert scene.client().post("/pay/nobody-has-this-secret/give-up").status_code == 404


def test_who_gives_up_when_the_station_was_asked_to_start_keeps_the_hold(scene: Scene) -> None:
    """The cable may go in the next moment: the energy would flow for nothing."""
    a_reader(scene, "CP1", "tmr_1")
    address = paid_at_reader(scene).json()["status_url"].removesuffix(".json")
    scene.collect(yes)
    [payment] = scene.do(lambda work, _: work.payments.by(), None)
    held = View(ViewStatus.AUTHORISED, payment.currency, payment.provider_ref, authorised_minor=payment.amount_minor)
    scene.do(apply_provider_fact, ProviderFact(payment.payment_id, Succeeded(held), Source.WEBHOOK))
    start = scene.do(start_paid_session, StartPaidSession(payment.payment_id))
    assert start is not None

    answer = scene.client().post(f"{address}/give-up", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.json()["state"]) == (200, "authorised")
    assert scene.do(lambda work, one: work.payments.get(one).due_minor, payment.payment_id) is None
    scene.do(lambda work, one: end_command(work, one, CommandState.EXPIRED, "nobody plugged in"), start)
    assert scene.do(lambda work, one: work.payments.get(one).due_minor, payment.payment_id) == 0


def test_a_deadline_before_the_end_of_the_start_lets_nothing_go(scene: Scene) -> None:
    """A station may have longer to start than the driver has to plug in: the cable may go in yet."""
    a_reader(scene, "CP1", "tmr_1")
    paid_at_reader(scene)
    scene.collect(yes)
    [payment] = scene.do(lambda work, _: work.payments.by(), None)
    held = View(ViewStatus.AUTHORISED, payment.currency, payment.provider_ref, authorised_minor=payment.amount_minor)
    scene.do(apply_provider_fact, ProviderFact(payment.payment_id, Succeeded(held), Source.WEBHOOK))
    start = scene.do(start_paid_session, StartPaidSession(payment.payment_id))
    assert start is not None

    assert scene.do(release_unused, payment.payment_id).due_minor is None
    scene.do(lambda work, one: end_command(work, one, CommandState.EXPIRED, "nobody plugged in"), start)

    assert scene.do(lambda work, one: work.payments.get(one).due_minor, payment.payment_id) == 0


def test_where_no_reader_stands_nobody_is_sent_to_one(scene: Scene) -> None:
    refused = paid_at_reader(scene, ELSEWHERE)
    assert (refused.status_code, refused.json()["code"]) == (409, "readers.none_here")
    reader = a_reader(scene, "CP1", "tmr_1")
    elsewhere = paid_at_reader(scene, ELSEWHERE, reader=reader)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "readers.not_found")


def test_with_two_readers_the_driver_says_which(scene: Scene) -> None:
    first, _ = a_reader(scene, "CP1", "tmr_1"), a_reader(scene, "CP1", "tmr_2")
    refused = paid_at_reader(scene).json()
    assert (refused["code"], "2 card readers" in refused["detail"]) == ("readers.choose", True)
    page = scene.client().get(f"/evse/{EVSE}").text
    for end in ("mr_1", "mr_2"):
        # Both carry the same label: the end of what is printed on them tells them apart.
        assert f"Post 1 (…{end})" in page
        assert f"Post 1 (…{end})" in refused["detail"]
    assert f'name="at" value="reader/{first}"' in page
    assert paid_at_reader(scene, at=f"reader/{first}").status_code == 202


def in_vain(scene: Scene) -> None:
    """Somebody makes the reader ask, and gives up."""
    headers = {"Accept": "application/json"}
    begun = scene.client().post(f"/evse/{EVSE}/pay", headers=headers, data={"at": "reader"})
    assert begun.status_code == 202, begun.text
    scene.collect(asks)
    address = begun.json()["status_url"].removesuffix(".json")
    assert scene.client().post(f"{address}/give-up", headers=headers).status_code == 200
    scene.collect(asks)


def test_a_reader_that_asks_again_and_again_for_nobody_rests(scene: Scene) -> None:
    """Anybody may ask from anywhere; whoever holds a card to it next must not pay for a stranger's charging."""
    a_reader(scene, "CP1", "tmr_1")
    for _ in range(MOST_UNPAID):
        in_vain(scene)

    refused = paid_at_reader(scene)

    assert (refused.status_code, refused.json()["code"]) == (409, "readers.rests")
    assert "Pay at the reader" not in scene.client().get(f"/evse/{EVSE}").text
    assert "It rests" in scene.signed_in().get(CONSOLE).text
    now = scene.house.business_now()
    rest = scene.house.ask_now(scene.house.views.resting_readers, scene.operator, Instant(now + PAUSE_MS + 1))
    assert rest == frozenset()


def test_a_reader_whose_account_is_closed_is_offered_to_nobody(scene: Scene) -> None:
    """The page must not promise what is refused then; so it is with a currency that the account does not take."""
    a_reader(scene, "CP1", "tmr_1")
    assert "Pay at the reader" in scene.client().get(f"/evse/{EVSE}").text

    def change(work: UnitOfWork, what: dict[str, Any]) -> None:
        [reader] = work.readers.by()
        work.provider_accounts.put(replace(work.provider_accounts.lock(reader.account_id), **what))

    scene.do(change, {"currencies": ("SEK",)})
    assert "Pay at the reader" not in scene.client().get(f"/evse/{EVSE}").text
    scene.do(change, {"currencies": ("GBP",), "closed_at": scene.house.business_now()})
    assert "Pay at the reader" not in scene.client().get(f"/evse/{EVSE}").text


def test_who_presses_twice_is_led_to_the_one_payment(scene: Scene) -> None:
    """The second press comes while the first payment is live: the driver would never see the link to the session."""
    a_reader(scene, "CP1", "tmr_1")
    [once] = re.findall(r'name="once" value="([^"]+)"', scene.client().get(f"/evse/{EVSE}").text)
    form = {"at": "reader", "once": once}

    first, second = (scene.client().post(f"/evse/{EVSE}/pay", data=form, follow_redirects=False) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    other = scene.client().post(
        f"/evse/{EVSE}/pay", data=form | {"most_kwh": "5"}, headers={"Accept": "application/json"}
    )
    assert other.json()["code"] == "readers.busy"
    guessed = scene.client().post(f"/evse/{EVSE}/pay", data=form | {"once": "1"})
    assert guessed.status_code == 400


def test_an_operator_adds_and_removes_readers_on_the_console(scene: Scene) -> None:
    """Everything that the command line does; who may only read sees them."""
    admin = scene.signed_in()
    page = admin.get(CONSOLE).text
    assert "No card reader yet" in page
    form = {"account": "main", "reader_ref": "tmr_9", "label": "Kiosk", "location": "queen-street", "evses": ""}
    added = admin.post(CONSOLE, data=form | {"csrf": csrf(admin, CONSOLE)})
    assert added.status_code == 303, added.text
    shown = admin.get(CONSOLE).text
    assert ("Kiosk" in shown, "tmr_9" in shown) == (True, True)
    assert "Pay at the reader: Kiosk" in scene.client().get(f"/evse/{ELSEWHERE}").text
    wrong = admin.post(CONSOLE, data=form | {"csrf": csrf(admin, CONSOLE), "reader_ref": "tmr 9"})
    assert wrong.status_code == 400
    [reader] = scene.house.ask_now(scene.house.views.readers, scene.operator)

    removed = admin.post(f"{CONSOLE}/{reader['id']}/remove", data={"csrf": csrf(admin, CONSOLE)})

    assert removed.status_code == 303
    assert "Pay at the reader" not in scene.client().get(f"/evse/{ELSEWHERE}").text
