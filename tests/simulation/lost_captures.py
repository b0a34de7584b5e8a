"""Captures that the provider takes back, when everybody thinks that the money is there: it never arrived."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tallywatt.simulators.psp.afterwards import MODIFICATION
from tests.simulation.world import BEGINNING, HOUR, MINUTE

if TYPE_CHECKING:
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation

AFTER = (0, 0, 10 * MINUTE, 20 * HOUR)
LATEST = 2 * HOUR
"""Until then a capture is looked for that is not in a batch yet; what is in one has arrived."""


def lose_capture(run: Simulation, step: Step) -> None:
    """The scheme does not pay one of the captures that were asked for."""
    waiting = _not_settled(run)
    if not waiting:
        if run.world.now < BEGINNING + LATEST:
            run.world.after(5 * MINUTE, lambda: lose_capture(run, step))
        return
    chosen = waiting[step.told["place"] % len(waiting)]

    def lose() -> None:
        if chosen in _not_settled(run):
            run.world.say(f"a capture of {chosen} is lost")
            run.provider.switch("/_lose_capture", payment_intent=chosen)

    run.world.after(step.told["after"], lose)


def _not_settled(run: Simulation) -> list[str]:
    """Payments with captures that were asked for, nothing of which has arrived, been given back or been disputed."""
    asked: set[Any] = {
        one["intent"] for one in run.provider.objects(MODIFICATION) if (one["kind"], one["failed"]) == ("CAPTURE", None)
    }
    arrived = {one["source"] for one in run.provider.objects("balance_transaction") if one.get("_payout") is not None}
    return [
        one["payment_intent"]
        for one in run.provider.objects("charge")
        if one["payment_intent"] in asked
        and one["amount_captured"]
        and one["id"] not in arrived
        and not (one["disputed"] or one["amount_refunded"])
    ]


def look_for_lost(run: Simulation) -> bool:
    """A person who misses money, or a word of it, looks at the provider's pages and has it sent again; whether any was."""
    there: Counter[str] = Counter()
    for theirs in run.books.payments():
        there[theirs.payment_id] += theirs.taken_minor
    known = run.rows("SELECT payment_id, captured_minor + suspense_minor FROM payments WHERE captured_minor > 0")
    missed = any(minor > there[payment_id] for payment_id, minor in known if payment_id in there)
    waits = run.rows("SELECT operation_id FROM operations WHERE kind = 'capture' AND state IN ('pending', 'unknown')")
    return bool(missed or waits) and run.provider.send_again("CAPTURE_FAILED")
