"""Settlements on the console: what does not agree is a card with one suggested click, and what was decided is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.payments.settlement import LineKind, ToldLine
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tests.entrypoints.http.test_console import send

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def settle(scene: Scene, *lines: ToldLine) -> str:
    """The provider lists something; the id of its account."""
    account: str = scene.do(lambda work, _: work.provider_accounts.by()[0].account_id, None)
    scene.do(take_settlement, TakeSettlement(account, lines))  # type: ignore[arg-type]  # an id is a text
    return account


def test_a_difference_is_decided_by_one_click_and_recorded(scene: Scene) -> None:
    """The suggested button stands first among equals; afterwards the card tells what was decided."""
    settle(scene, ToldLine("txn_1", LineKind.OTHER, 700, 30, "GBP", Instant(1_795_248_000_000), 700, "GBP"))
    client = scene.signed_in()
    shown = client.get("/console/settlements").text
    assert "Nothing of ours" in shown
    assert '<button class="button primary" name="action" value="book"' in shown
    [row] = scene.house.ask_now(scene.house.views.settlement_differences, scene.operator)["items"]

    answer = send(client, f"/console/settlements/{row['id']}", action="book", note="terminal of before")

    assert answer.status_code == 303
    assert "Everything agrees" in client.get("/console/settlements").text
    assert "terminal of before" in client.get("/console/settlements?state=resolved").text
    [done] = [
        one
        for one in scene.house.ask_now(scene.house.views.actions, scene.operator)
        if one["action"] == "settlement.resolve"
    ]
    assert (done["after"]["action"], done["after"]["minor"]) == ("book", 700)


def test_a_person_can_have_settlements_read_at_once(scene: Scene) -> None:
    """Nobody has to wait for the round of the janitor."""
    client = scene.signed_in()

    assert send(client, "/console/settlements/read").status_code == 303

    jobs = scene.house.ask_now(scene.house.views.jobs, scene.operator, "ready")
    assert "read_settlements" in {one["kind"] for one in jobs}


def test_what_is_no_decision_is_refused(scene: Scene) -> None:
    """A form that was tampered with gets a problem, never a broken page."""
    settle(scene, ToldLine("txn_1", LineKind.OTHER, 700, 0, "GBP", Instant(1_795_248_000_000), 700, "GBP"))
    client = scene.signed_in()
    [row] = scene.house.ask_now(scene.house.views.settlement_differences, scene.operator)["items"]

    assert send(client, f"/console/settlements/{row['id']}", action="ask").status_code == 409
    assert send(client, f"/console/settlements/{row['id']}", action="match", payment="nobody").status_code == 409
    assert send(client, "/console/settlements/nothing", action="dismiss").status_code == 404
    assert send(client, f"/console/settlements/{row['id']}", action="other").status_code == 422
