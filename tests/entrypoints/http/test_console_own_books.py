"""A customer's balance and open items on the console: who may do what, once, and what the page says then."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from tallywatt.customers.roles import Role
from tallywatt.kernel.money import money
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.ask_on_page import TopUp, top_up
from tallywatt.workflows.keep_own_account import AllowInvoice, OpenBalance, allow_invoice, open_balance
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.entrypoints.scene import Scene

CUSTOMER = "/console/customers/C1"


def with_books(scene: Scene) -> Scene:
    """The operator keeps balances and sells on invoice."""
    scene.do(add_provider_account, AddProviderAccount("balances", "prepaid", ("GBP",), "", ()))
    scene.do(add_provider_account, AddProviderAccount("terms", "invoice", ("GBP",), "", ()))
    return scene


def account_of(scene: Scene, reference: str = "C1") -> dict[str, Any]:
    row = scene.house.ask_now(scene.house.views.customer, scene.operator, reference)
    assert row is not None
    told: dict[str, Any] = scene.house.ask_now(scene.house.views.customer_account, scene.operator, row["id"])
    return told


def paid_in(scene: Scene, amount: str, reference: str = "C1") -> None:
    """The customer has topped up by card."""
    row = scene.house.ask_now(scene.house.views.customer, scene.operator, reference)
    assert row is not None
    scene.do(top_up, TopUp(row["id"], money(amount, "GBP"), "Balance", "http://x/{secret}", "http://x/{secret}"))
    scene.collect()


def send(client: TestClient, path: str, **form: str) -> Any:
    """Fill in a form of the customer's page, in the operator's currency."""
    data = {"csrf": csrf(client, "/console/customers"), "currency": "GBP", **form}
    return client.post(f"{CUSTOMER}/{path}", data=data)


def words(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_balance_is_opened_shown_and_paid_out_to_the_card_it_came_from(scene: Scene) -> None:
    """What is free is on the page with what has moved; asked for, it goes back to the card."""
    with with_books(scene).signed_in(Role.FINANCE) as client:
        assert "Open a balance in GBP" in client.get(CUSTOMER).text
        assert send(client, "balance").headers["location"] == f"{CUSTOMER}?said=saved#own-account"
        assert "Free £0.00" in words(client.get(CUSTOMER).text)
        paid_in(scene, "20.00")
        said = words(client.get(CUSTOMER).text)
        assert "Free £20.00" in said
        assert "Paid in by card" in said
        assert "said=paid_out" in send(client, "balance/payout").headers["location"]
        scene.collect()
    [balance] = account_of(scene)["balances"]
    assert balance["free_minor"] == 0


def test_on_invoice_is_allowed_changed_and_ended(scene: Scene) -> None:
    """Terms that cannot be meant come back with what was typed."""
    with with_books(scene).signed_in() as client:
        bad = send(client, "credit", limit="a lot", days="14")
        assert (bad.status_code, "a lot" in bad.text) == (400, True)
        assert send(client, "credit", limit="500,00", days="soon").status_code == 400
        assert send(client, "credit", limit="500,00", days="14").status_code == 303
        assert "£500.00 of £500.00" in words(client.get(CUSTOMER).text)
        send(client, "credit", limit="200.00", days="30")
        assert "30 days" in words(client.get(CUSTOMER).text)
        assert send(client, "credit/end").status_code == 303
        [terms] = account_of(scene)["credit"]
    assert (terms["limit_minor"], terms["term_days"], terms["ended_at"] is not None) == (20000, 30, True)


def test_a_transfer_is_written_down_once_and_pays_what_is_open(scene: Scene) -> None:
    """The form was sent twice: the same money did not come twice."""
    with with_books(scene).signed_in() as client:
        send(client, "credit", limit="500.00", days="0")
        send(client, "balance")
        form = {"amount": "12.50", "received_on": "2026-11-20", "target": "balance", "once": "drawn"}
        for _ in range(2):
            assert "said=received" in send(client, "transfers", **form).headers["location"]
        assert send(client, "transfers", **{**form, "amount": "1.00"}).status_code == 409
        assert send(client, "transfers", **{**form, "once": ""}).status_code == 400
        assert send(client, "transfers", **{**form, "once": "b", "received_on": "soon"}).status_code == 400
        assert "Transfer by bank" in client.get(CUSTOMER).text
    [balance] = account_of(scene)["balances"]
    assert balance["free_minor"] == 1250


def test_who_only_reads_sees_the_account_and_changes_nothing(scene: Scene) -> None:
    """Neither by a button nor by an address."""
    with_books(scene)
    with scene.signed_in() as owner:
        send(owner, "balance")
        paid_in(scene, "20.00")
    with scene.signed_in(Role.READ_ONLY) as client:
        page = client.get(CUSTOMER).text
        assert "Free £20.00" in words(page)
        assert "/balance/payout" not in page
        for path in ("balance", "balance/payout", "credit", "credit/end", "transfers"):
            assert send(client, path).status_code == 403


def test_an_operator_without_such_accounts_is_not_bothered_with_them(scene: Scene) -> None:
    """The page says nothing of balances, and the address says what is missing."""
    with scene.signed_in() as client:
        assert "own-account" not in client.get(CUSTOMER).text
        refused = send(client, "balance")
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text


def test_a_fleets_manager_sees_the_balances_of_its_customers_and_no_others(scene: Scene) -> None:
    """Who answers for ten cars knows which of them is about to stop charging; a stranger's balance is not there."""
    house = with_books(scene)
    for reference in ("C1", "C2", "C3"):
        house.do(open_balance, OpenBalance(reference, "GBP"))
    paid_in(house, "20.00")
    house.do(allow_invoice, AllowInvoice("C2", money("500.00", "GBP"), 14))

    with house.signed_in(Role.FLEET_MANAGER, "C1", "C2") as client:
        said = words(client.get("/me").text)

    assert "Balances of the fleet" in said
    assert "C1 £20.00" in said
    assert "C2 £0.00" in said
    assert "C2 On invoice, £500.00 of £500.00 is free. £0.00 open" in said
    assert "C3" not in said
