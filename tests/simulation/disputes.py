"""Disputes: payers' banks take charges back, somebody answers or nobody does, and banks decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.payments.dispute import DefenceDocument
from tallywatt.workflows.accept_dispute import AskAccept, account_to_answer, ask_accept
from tallywatt.workflows.note_defence import NoteDefence, note_defence
from tests.simulation.furnish import OPERATOR
from tests.simulation.ledger import MOVED
from tests.simulation.world import BEGINNING, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.house import LivingHouse
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation

THEN = ("won", "lost", "stands", "accepted", "accepted", "contested_won", "contested_lost")
"""What becomes of it: nobody answers and the bank decides or does not; it is let go; it is contested, and the bank decides."""
AFTER = (2 * MINUTE, 10 * MINUTE, 40 * MINUTE, 20 * HOUR)
FEE = 15
"""Minor units. Sessions here cost a pound or two; what is taken must be more than what is kept, or nothing is paid out."""
LOOKS = 25
LATEST = 2 * HOUR
"""Until then a bank looks for a charge to take back."""
PROOF = b"%PDF-1.7 what the house holds"


class Disputed:
    """One charge that its payer's bank takes back."""

    def __init__(self, run: Simulation, step: Step) -> None:
        self._run = run
        self._told = step.told
        self._dispute = self._ref = ""
        self._looked = 0

    def begin(self) -> None:
        """The bank takes back one of the charges that are there, if there is one by now."""
        charges = [
            one
            for one in self._run.provider.objects("charge")
            if one["captured"] and not one["disputed"] and one["amount_captured"] > one["amount_refunded"]
        ]
        if not charges:
            if self._run.world.now < BEGINNING + LATEST:
                self._run.world.after(5 * MINUTE, self.begin)
            return
        chosen = charges[self._told["place"] % len(charges)]
        [opened] = self._run.provider.switch("/_dispute", payment_intent=chosen["payment_intent"], fee=FEE)
        self._dispute = opened["id"]
        self._ref = self._run.books.dispute_ref(self._dispute)
        self._run.world.say(f"dispute of {opened['amount']}: {self._told['then']}")
        if self._told["then"].startswith(("accepted", "contested")):
            self._run.world.after(MINUTE, self._answer)
        if self._told["then"].endswith(("won", "lost")):
            self._run.world.after(self._told["after"], self._decide)

    def _answer(self) -> None:
        """A person looks whether the house knows of it, and answers."""

        def answer(house: LivingHouse) -> None:
            sql = "SELECT dispute_id FROM disputes WHERE dispute_ref = ? AND answer IS NULL AND state IN ('warning', 'open')"
            found = house.ask_now(lambda connection: connection.execute(sql, (self._ref,)))
            if found and self._told["then"] == "accepted":
                asked = AskAccept(found[0][0], "not worth it", None)
                house.write_now(OPERATOR, ask_accept, asked, actor="person")
            elif found:
                self._contest(house, found[0][0])

        self._looked += 1
        if self._status() == "needs_response" and self._looked < LOOKS:
            self._run.world.after(MINUTE if self._looked < LOOKS // 2 else HOUR, self._answer)
            self._run.ask_house(answer)

    def _contest(self, house: LivingHouse, dispute_id: str) -> None:
        dispute, _ = house.write_now(OPERATOR, account_to_answer, dispute_id, actor="person")
        grounds = house.provider.defence_reasons(dispute.dispute_ref)
        if grounds:
            documents = tuple(DefenceDocument(kind, "application/pdf", PROOF) for kind in grounds[0].needed)
            house.provider.defend(dispute.dispute_ref, grounds[0].code, documents)
            noted = NoteDefence(dispute_id, grounds[0].code, grounds[0].needed)
            house.write_now(OPERATOR, note_defence, noted, actor="person")

    def _decide(self) -> None:
        """The bank decides; where it awaits an answer, not before that is there."""
        awaits = self._told["then"].startswith("contested") and self._looked < LOOKS
        if self._status() == "needs_response" and awaits:
            self._run.world.after(HOUR, self._decide)
        elif self._status() in {"needs_response", "under_review"}:
            decided = self._told["then"].removeprefix("contested_")
            self._run.provider.switch("/_decide", dispute=self._dispute, status=decided)

    def _status(self) -> str:
        status: str = next(one["status"] for one in self._run.provider.objects("dispute") if one["id"] == self._dispute)
        return status


OF_NO_MONEY = ("DISPUTE_DEFENSE_PERIOD_ENDED", "INFORMATION_SUPPLIED")
"""Steps that move nothing, and stand in no file."""


def compare_with_pages(run: Simulation, *, paid_out: bool) -> bool:
    """A person looks at the pages of a provider that has no list of them, and has what was lost sent again; whether any was.

    `paid_out`: all files are there, and what is not known by now is in none of them.
    """
    if run.provider.dialect.report_user is None:
        return False
    there = {(ref, STATES[status], 0 if status == "won" else minor) for ref, _, status, minor in run.books.disputes()}
    here = set(run.rows("SELECT dispute_ref, state, withdrawn_minor FROM disputes"))
    if paid_out:
        return here != there and run.provider.send_again(*OF_NO_MONEY, "CHARGEBACK")
    states = {one[:2] for one in here} != {one[:2] for one in there}
    return states and run.provider.send_again(*OF_NO_MONEY)


STATES = {"needs_response": "open", "under_review": "answered", "won": "won", "lost": "lost"}


def disputes_are_known(run: Simulation) -> Iterator[str]:
    """Each is here as it is there, and what is gone for it waits or is lost by the ledger."""
    sql = "SELECT dispute_ref, payment_id, state, withdrawn_minor FROM disputes"
    ours = {ref: told for ref, *told in run.rows(sql)}
    gone = {"disputed": 0, "losses": 0}
    for ref, payment_id, status, minor in run.books.disputes():
        taken = 0 if status == "won" else minor
        gone["losses" if status == "lost" else "disputed"] += taken
        found, wanted = ours.pop(ref, None), [payment_id, STATES[status], taken]
        if found != wanted:
            yield f"dispute {ref} is {wanted} with the provider, and {found} here"
    for ref, told in ours.items():
        yield f"dispute {ref} is {told} here, and nothing with the provider"
    for name, minor in gone.items():
        [(stands,)] = run.rows(MOVED, f"{name}/{run.account_id}")
        if stands != minor:
            yield f"{minor} are {name} by the provider, and {stands} by the ledger"
    for (summary,) in run.rows("SELECT summary FROM inbox WHERE kind = 'dispute_unmatched'"):
        yield f"a dispute was not understood: {summary}"
