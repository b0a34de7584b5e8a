"""Settings through the console's forms: checked, written down, and only by who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tallywatt.customers.roles import Role
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

SETTINGS = "/console/settings"
OPERATOR = {
    "name": "Dundee Charging", "address": "1 Quay\r\nDundee", "tax_id": "GB1", "hold": "30,50", "start_deadline": "90",
    "lost_stop": "1200",
}  # fmt: skip
ACCOUNT = {"name": "second", "currencies": "gbp, eur", "secret": "STRIPE_TWO", "webhook_secret": "HOOK_TWO"}


def test_the_operator_is_changed_as_it_was_typed(scene: Scene) -> None:
    """Sums in major units, lines of an address as lines."""
    with scene.signed_in() as client:
        answer = client.post(SETTINGS, data={"csrf": csrf(client, SETTINGS), **OPERATOR})
        page = client.get(answer.headers["location"]).text
    row = scene.house.ask_now(scene.house.views.operator_by_id, scene.operator)
    assert row is not None
    assert (row["name"], row["address"], row["tax_id"]) == ("Dundee Charging", "1 Quay\nDundee", "GB1")
    assert (row["hold_minor"], row["start_deadline_seconds"], row["lost_stop_after_seconds"]) == (3050, 90, 1200)
    assert "Saved." in page
    assert 'value="30.50"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"hold": "0"},
        {"hold": "a lot"},
        {"hold": "1.234"},
        {"start_deadline": "soon"},
        {"lost_stop": "-1"},
    ],
)
def test_what_cannot_be_meant_comes_back_with_what_was_typed(scene: Scene, wrong: dict[str, str]) -> None:
    """And nothing is half changed."""
    with scene.signed_in() as client:
        answer = client.post(SETTINGS, data={"csrf": csrf(client, SETTINGS), **OPERATOR, "tax_id": "TYPED", **wrong})
    assert answer.status_code == 400
    assert "TYPED" in answer.text
    row = scene.house.ask_now(scene.house.views.operator_by_id, scene.operator)
    assert row is not None
    assert row["hold_minor"] == 4500


def test_a_policy_is_chosen_for_new_offers_and_prices_examples(scene: Scene) -> None:
    """The page shows what holds; a choice that is none is refused."""
    path = f"{SETTINGS}/policy"
    with scene.signed_in() as client:
        token = csrf(client, path)
        answer = client.post(path, data={"csrf": token, "step_size": "off", "longest_wait_hours": "6"})
        assert answer.status_code == 303
        page = client.get(path).text
        assert '<option value="off" selected>' in page
        assert client.get("/console/tariffs").status_code == 200
        for wrong in ({"step_size": "maybe"}, {"longest_wait_hours": "0"}, {"longest_wait_hours": "x"}):
            assert client.post(path, data={"csrf": token, **wrong}).status_code == 400


def test_an_account_names_variables_and_never_secrets(scene: Scene) -> None:
    """A key that somebody pastes into the wrong field is not kept; nor can the installation's own key be named."""
    path = f"{SETTINGS}/providers"
    with scene.signed_in() as client:
        token = csrf(client, path)
        for wrong in (
            {"secret": "sk_live_abc"}, {"secret": "TALLYWATT_INSTALLATION_KEY"}, {"webhook_secret": "file:/etc/passwd"},
            {"name": "No Name"}, {"currencies": ""}, {"currencies": "XXZ"},
        ):  # fmt: skip
            answer = client.post(path, data={"csrf": token, **ACCOUNT, **wrong})
            assert answer.status_code == 400, wrong
        assert client.post(path, data={"csrf": token, **ACCOUNT}).status_code == 303
        page = client.get(path).text
    [row] = [
        one
        for one in scene.house.ask_now(scene.house.views.provider_accounts, scene.operator)
        if one["name"] == "second"
    ]
    assert row["secret_reference"] == "env:STRIPE_TWO"
    assert not row["live"]
    assert f"/webhooks/stripe/{row['id']}" in page


def test_several_captures_are_switched_where_a_provider_does_so_by_account(scene: Scene) -> None:
    """At Adyen, whose support does it; at the others there is no such button, and no such request."""
    added = AddProviderAccount("adyen", "adyen", ("GBP",), "env:KEY", ("env:HOOK",), merchant="MyShop")
    account = scene.do(add_provider_account, added).account_id
    path = f"{SETTINGS}/providers"
    with scene.signed_in() as client:
        token = csrf(client, path)
        for several, now in (("yes", "captured several times"), ("no", "captured once")):
            asked = {"csrf": token, "several": several}
            assert client.post(f"{path}/{account}/captures", data=asked).status_code == 303
            page = client.get(path).text
            assert page.count(now) == 1
        stripe = f"{path}/{scene.account.account_id}/captures"
        assert client.post(stripe, data={"csrf": token, "several": "yes"}).status_code == 400

    program, headers = scene.client(), scene.key()
    told = program.put(f"/provider-accounts/{account}/captures", json={"several": True}, headers=headers)
    assert (told.status_code, told.json()["several_captures"]) == (200, True)
    refused = program.put(
        f"/provider-accounts/{scene.account.account_id}/captures", json={"several": True}, headers=headers
    )
    assert (refused.status_code, refused.json()["code"]) == (400, "provider_accounts.captures_not_by_account")


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.OPERATIONS])
def test_others_see_the_settings_and_change_none(scene: Scene, role: Role) -> None:
    """Neither by a button nor by an address."""
    with scene.signed_in(role) as client:
        for path, form in ((SETTINGS, OPERATOR), (f"{SETTINGS}/policy", {}), (f"{SETTINGS}/providers", ACCOUNT)):
            page = client.get(path)
            assert page.status_code == 200
            assert f'action="{path}"' not in page.text
            assert client.post(path, data={"csrf": csrf(client), **form}).status_code == 403


def test_a_new_operator_is_led_to_the_first_invoice_and_an_old_one_is_not(scene: Scene) -> None:
    """What is done is ticked off; with the first invoice the list is gone."""
    with scene.signed_in() as client:
        page = client.get("/console").text
        assert "To the first invoice" in page
        assert page.count("(done)") == 3
        scene.wire().charge(10_000_000)
        assert "To the first invoice" not in client.get("/console").text
