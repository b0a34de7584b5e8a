"""A price correction from the wrong tariff to the money on its way back: on the console, through the API, by the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.customers.roles import Role
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.workflows.put_tariff import PutTariff, put_tariff
from tests.entrypoints.http.test_console_tariffs import csrf
from tests.entrypoints.scene import TARIFF

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

AT = "/console/corrections"
CHEAP: dict[str, Any] = {
    **TARIFF,
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.20", "vat": "20", "step_size": 1}]}],
}


def work(scene: Scene) -> None:
    """The worker does what is due."""
    workers = Workers(scene.house, ())
    while workers.step(LANES["corrections"]):
        pass


def test_finance_puts_a_wrong_price_right_on_the_console(scene: Scene) -> None:
    """It is priced, looked at, carried out; the session shows what it should have cost, the money goes back."""
    scene.wire().charge(10_000_000)
    scene.collect()
    charged = scene.session()["payments"][0]["captured_minor"]
    put = scene.do(put_tariff, PutTariff(CHEAP))
    with scene.signed_in(Role.FINANCE) as client:
        token = csrf(client, AT)
        form = {"csrf": token, "tariff": put.version.tariff_version_id, "since": "2000-01-01T00:00", "reason": "typo"}
        wrong = client.post(AT, data=form)
        assert (wrong.status_code, "typo" in wrong.text) == (400, True)
        made = client.post(AT, data={**form, "until": "2099-01-01T00:00"})
        page = made.headers["location"].partition("?")[0]
        assert "being priced" in client.get(page).text
        work(scene)
        shown = client.get(page).text
        assert "£2.00" in shown
        assert "typo" in client.get(AT).text
        done = client.post(page, data={"csrf": token, "decision": "carry_out"})
        assert "said=correcting" in done.headers["location"]
        work(scene)
        scene.collect()
        assert "Credited" in client.get(page).text
        late = client.post(page, data={"csrf": token, "decision": "discard"})
        assert late.status_code == 409
    assert scene.session()["payments"][0]["refunded_minor"] == charged - 200


def test_a_program_opens_one_looks_at_it_and_discards_it(scene: Scene) -> None:
    """By what the API answers alone."""
    scene.wire().charge(10_000_000)
    scene.collect()
    scene.do(put_tariff, PutTariff(CHEAP))
    client, headers = scene.client(), scene.key()
    order = {"tariff": TARIFF["id"], "since": "2000-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z", "reason": "typo"}
    made = client.post("/corrections", json=order, headers=headers)
    assert (made.status_code, made.json()["state"]) == (201, "pricing")
    path = f"/corrections/{made.json()['id']}"
    work(scene)
    told = client.get(path, headers=headers).json()
    [one] = client.get(f"{path}/sessions", headers=headers).json()["items"]
    assert (told["state"], told["sessions"], told["less_minor"]) == ("proposed", 1, one["was_minor"] - 200)
    assert client.get("/corrections", headers=headers).json()["items"] == [told]
    assert client.post(f"{path}/discard", headers=headers).json()["state"] == "discarded"
    refused = client.post(f"{path}/carry-out", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "corrections.not_proposed")
    assert client.get("/corrections/nobody", headers=headers).status_code == 404
