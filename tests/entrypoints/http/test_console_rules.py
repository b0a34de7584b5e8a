"""Rules and lists of cards on the console: made, changed, switched off by a person, with the workflows of every other door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.metering.session import InboxItem, InboxState
from tests.entrypoints.http.test_console_tariffs import csrf

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

RULES = "/console/rules"
LISTS = "/console/local-lists"


def asked(scene: Scene, view: Any, *values: Any) -> Any:
    """What a view answers."""
    return scene.house.ask_now(view, scene.operator, *values)


def test_a_rule_is_made_changed_and_switched_off(scene: Scene) -> None:
    """A comma is a point; what cannot be meant comes back with what was typed; the same name changes it."""
    with scene.signed_in() as client:
        token = csrf(client, RULES)
        typed = {"csrf": token, "name": "short", "kind": "missing_energy", "decision": "accept", "most": "5,00"}
        for wrong in ({"decision": "dismiss"}, {"most": "much"}, {"decision": "match"}, {"name": ""}):
            answer = client.post(RULES, data={**typed, **wrong})
            assert (answer.status_code, 'value="5,00"' in answer.text or "most" in wrong) == (400, True), wrong
        for most, minor in (("5,00", 500), ("7.50", 750)):
            assert client.post(RULES, data={**typed, "most": most}).status_code == 303
            [rule] = asked(scene, scene.house.views.rules)
            assert (rule["name"], rule["most_minor"], rule["is_on"]) == ("short", minor, True)
        form = client.get(f"{RULES}?rule=short").text
        assert 'value="7.50"' in form
        assert client.post(f"{RULES}/end", data={"csrf": token, "name": "short"}).status_code == 303
        assert client.post(f"{RULES}/end", data={"csrf": token, "name": "nobody"}).status_code == 404
        assert asked(scene, scene.house.views.rules)[0]["is_on"] is False


def test_what_each_rule_has_decided_stands_beside_it(scene: Scene) -> None:
    """Counted by the name that each decision carries; another decision of the same name is another rule's text."""
    with scene.signed_in() as client:
        token = csrf(client, RULES)
        typed = {"csrf": token, "name": "short", "kind": "missing_energy", "decision": "accept", "most": "5"}
        client.post(RULES, data=typed)

        def decided(work: Any, _: object) -> None:
            for number, said in enumerate(("accept: by rule short", "accept: by rule short", "release: by rule short")):
                work.inbox.add(
                    InboxItem(
                        work.draw.id(f"item/{number}"),
                        "missing_energy",
                        str(number),
                        None,
                        None,
                        None,
                        None,
                        "why",
                        InboxState.RESOLVED,
                        work.machine_now,
                        work.machine_now,
                        "worker",
                        said,
                    )
                )

        scene.do(decided, None)
        [row] = asked(scene, scene.house.views.rules_with_count, scene.house.machine.now())
        assert row["decided"] == 2
        assert row["last_at"] is not None


def test_lists_of_cards_are_kept_and_sent_by_a_person(scene: Scene) -> None:
    """For all, for one, and once more as a whole; one that is not kept cannot be sent."""
    with scene.signed_in() as client:
        token = csrf(client, LISTS)
        one = "/console/stations/CP1/local-list"
        refused = client.post(f"{one}/send", data={"csrf": token})
        assert refused.status_code == 409
        assert client.post(LISTS, data={"csrf": token, "is_on": "true"}).status_code == 303
        assert client.post(one, data={"csrf": token, "is_on": "true"}).status_code == 303
        assert client.post(f"{one}/send", data={"csrf": token}).status_code == 303
        told = asked(scene, scene.house.views.local_lists)
        assert told["everywhere"] is True
        assert "CP1" in client.get(LISTS).text
