"""Disputes answered through the API and on the console: due soonest first, contested with evidence, let go within limits."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tallywatt.customers.approval import Holder
from tallywatt.customers.roles import Role
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tests.entrypoints.http.disputed import disputed, paid_there
from tests.entrypoints.http.test_console import send
from tests.entrypoints.http.test_debits import Program

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def test_a_program_contests_a_dispute_with_the_evidence_of_the_house(scene: Scene) -> None:
    """What is due soonest comes first; the paper of the house goes where a document is needed, and one's own beside it."""
    payment, bank = paid_there(scene)
    later, soon, never = (disputed(scene, payment, ref, 50, days) for ref, days in (("D1", 9), ("D2", 2), ("D3", None)))
    program = Program(scene)

    assert [one["id"] for one in program.get("/due-disputes")["items"]] == [soon, later, never]
    assert len(program.get("/disputes?state=open")["items"]) == 3
    shown = program.get(f"/disputes/{soon}")
    assert shown["answered_here"]
    there = {one["kind"] for one in shown["evidence"] if one["is_there"]}
    assert {"session", "readings", "offer", "price", "payment"} <= there
    assert program.get(f"/disputes/{soon}/grounds")["items"][0]["needed"] == ["DefenseMaterial"]
    body = {"ground": "ProofOfSale"}
    first = program.post(f"/disputes/{soon}/contest", body, 202, "once")
    assert program.post(f"/disputes/{soon}/contest", body, 202, "once") == first
    own = {"kind": "DefenseMaterial", "content": base64.b64encode(b"%PDF-1.7 own").decode()}
    both = {**body, "documents": [own, {"kind": "OtherMaterial", "use": "evidence"}]}
    assert program.post(f"/disputes/{later}/contest", both, 202)["state"] == "answered"

    assert (first["state"], first["answer"], first["answer_note"]) == ("answered", "contest", "ProofOfSale")
    (ref, ground, [paper]), (_, _, [mine, other]) = bank.defended
    assert (ref, ground, paper.kind, paper.media_type) == ("D2", "ProofOfSale", "DefenseMaterial", "application/pdf")
    assert paper.content.startswith(b"%PDF")
    assert (mine.content, other.content) == (b"%PDF-1.7 own", paper_of(scene, later))
    assert program.post(f"/disputes/{soon}/contest", body, 409)["code"] == "dispute.not_open"


def paper_of(scene: Scene, dispute_id: str) -> bytes:
    answer = scene.client().get(f"/disputes/{dispute_id}/evidence.pdf", headers=scene.key("read"))
    assert answer.status_code == 200, answer.text
    content: bytes = answer.content
    return content


def test_what_cannot_be_handed_in_is_refused_before_the_provider_is_asked(scene: Scene) -> None:
    """A stable code and nothing sent."""
    payment, bank = paid_there(scene)
    one = disputed(scene, payment, "D1", 50)
    program = Program(scene)
    for documents, code in (
        ([{"kind": "DefenseMaterial"}], "dispute.which_document"),
        ([{"kind": "DefenseMaterial", "content": "%%%"}], "dispute.bad_document"),
    ):
        body = {"ground": "ProofOfSale", "documents": documents}
        assert program.post(f"/disputes/{one}/contest", body, 400)["code"] == code
    assert program.post(f"/disputes/{one}/contest", {"ground": "Other"}, 400)["code"] == "dispute.no_such_ground"
    assert program.post("/disputes/nothing/accept", {}, 404)["code"] == "dispute.not_found"
    assert bank.defended == []


def test_to_let_go_holds_to_the_limit_of_a_refund_at_every_door(scene: Scene) -> None:
    """A program beyond its limit waits for a person; below it the provider is told by a worker."""
    payment, _ = paid_there(scene)
    one, two = disputed(scene, payment, "D1", 60), disputed(scene, payment, "D2", 40)
    scene.do(set_money_limit, SetMoneyLimit(Holder.PROGRAM, "GBP", 50, None))
    program = Program(scene)

    waits = program.post(f"/disputes/{one}/accept", {"reason": "stiff"}, 202)
    gone = program.post(f"/disputes/{two}/accept", {}, 202)

    assert (waits["state"], gone["state"], gone["approval_id"]) == ("waiting_for_approval", "accepted", None)
    assert program.get(f"/disputes/{one}")["approval_id"] == waits["approval_id"]
    assert program.get(f"/disputes/{two}")["answer"] == "accept"


def test_a_person_reads_one_dispute_and_answers_it(scene: Scene) -> None:
    """The grounds come from the provider; a click hands the evidence in; who may only read sees no button."""
    payment, bank = paid_there(scene)
    one, two = disputed(scene, payment, "D1", 50), disputed(scene, payment, "D2", 40)
    client = scene.signed_in(Role.FINANCE)
    listed = client.get("/console/disputes").text
    assert listed.index(one) < listed.index("All, the newest first")

    asked = send(client, f"/console/disputes/{one}/grounds").text
    assert 'name="needed.ProofOfSale" value="DefenseMaterial"' in asked
    form = {"ground": "ProofOfSale", "needed.ProofOfSale": "DefenseMaterial"}
    assert send(client, f"/console/disputes/{one}/contest", **form).status_code == 303
    assert send(client, f"/console/disputes/{two}/accept", reason="stiff").status_code == 303

    assert [(ref, ground) for ref, ground, _ in bank.defended] == [("D1", "ProofOfSale")]
    shown = client.get(f"/console/disputes/{one}").text
    assert "Contested by Finance" in shown
    assert "Contest it" not in shown
    assert "Let go by Finance" in client.get(f"/console/disputes/{two}").text
    again = send(client, f"/console/disputes/{one}/contest", **form)
    assert again.status_code == 409
    third = disputed(scene, payment, "D3", 30)
    reading = scene.signed_in(Role.READ_ONLY)
    assert "Let it go" not in reading.get(f"/console/disputes/{third}").text
    assert send(reading, f"/console/disputes/{third}/accept").status_code == 403
