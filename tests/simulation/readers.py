"""Drivers who pay at a card reader, and what happens there: cards, declines, red keys, nobody, two taps, no connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.pay_at_reader import GiveUpAtReader, give_up_at_reader
from tests.simulation.furnish import OPERATOR
from tests.simulation.people import GIVES_UP_AFTER, visit_of
from tests.simulation.provider import READERS
from tests.simulation.world import MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.house import LivingHouse
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation

GOOD, BAD, POOR = "pm_card_visa", "pm_card_visa_chargeDeclined", "pm_card_visa_chargeDeclinedInsufficientFunds"
COMES = (
    (GOOD,), (GOOD,), (GOOD,), (GOOD,), (GOOD, GOOD), (POOR,), (BAD, GOOD), ("cancel",), ("cancel", GOOD), (),
)  # fmt: skip
"""What is held to the reader, one after the other; `cancel` is its red key."""
TAPS_AFTER = (
    2 * SECOND,
    3 * SECOND,
    5 * SECOND,
    5 * SECOND,
    10 * SECOND,
    20 * SECOND,
    119 * SECOND,
    123 * SECOND,
    4 * MINUTE,
)
"""Whoever taps after two minutes taps for nobody, or for the next one."""
THEN = ("plugs_in", "plugs_in", "plugs_in", "plugs_in", "goes_away", "presses_cancel", "presses_cancel_first")


class ReaderDriver:
    """A driver who chooses an EVSE at a kiosk, and holds a card to the reader beside it."""

    def __init__(self, run: Simulation, step: Step) -> None:
        self._run = run
        self._told = step.told
        self._visit = visit_of(step, waits=True)
        self._station, self._plug = run.place(step)
        self._ref = READERS[step.told["reader"]]
        self._secret = ""

    def begin(self) -> None:
        """Choose the EVSE and the reader, and agree to the price."""
        if self._plug.visit is not None:
            return
        code = self._run.codes[self._station.identity, self._plug.number]
        reader_id = self._run.rows("SELECT reader_id FROM readers WHERE reader_ref = ?", self._ref)[0][0]

        def choose(house: LivingHouse) -> None:
            asked = OfferAndPay(code, "http://sim/{secret}", "http://sim/", at_reader=True, reader_id=reader_id)
            payment = house.write_now(OPERATOR, offer_and_pay, asked, actor="driver")
            self._secret = payment.driver_secret or ""
            self._asked()

        self._run.ask_house(choose)

    def _asked(self) -> None:
        after, told = self._run.world.after, self._told
        for place, what in enumerate(told["comes"]):
            after(told["taps_after"] + place * 4 * SECOND, lambda what=what: self._hold(what))  # type: ignore[misc]  # a lambda's default has no type
        if told["then"] == "plugs_in":
            after(told["haste"] * SECOND, self._plug_in)
        elif told["then"] == "presses_cancel":
            after(told["taps_after"] + self._run.luck.randrange(8 * SECOND), self._press_cancel)
        elif told["then"] == "presses_cancel_first":
            after(self._run.luck.randrange(told["taps_after"]), self._press_cancel)

    def _hold(self, what: str) -> None:
        found = self._run.provider.switch("/_tap", reader=self._ref, comes=what)
        self._run.world.say(f"{what} at {self._ref}: {[(one['action'] or {}).get('status') for one in found]}")

    def _plug_in(self) -> None:
        if self._plug.visit is None and not self._station.is_off:
            self._station.plug_in(self._plug, self._visit)
            self._run.world.after(GIVES_UP_AFTER, self._lose_patience)

    def _lose_patience(self) -> None:
        if self._plug.visit is self._visit and self._plug.charge is None:
            self._station.never_started(self._plug, self._visit)

    def _press_cancel(self) -> None:
        def cancel(house: LivingHouse) -> None:
            house.write_now(OPERATOR, give_up_at_reader, GiveUpAtReader(self._secret), actor="driver")

        self._run.ask_house(cancel)


def lose_reader(run: Simulation, step: Step) -> None:
    """A reader has no connection for a while; a person with a card stands before it all the same."""
    ref = READERS[step.told["reader"]]
    run.provider.switch("/_readers", reader=ref, status="offline")

    def is_back() -> None:
        run.provider.switch("/_readers", reader=ref, status="online")

    run.world.after(step.told["seconds"] * SECOND, is_back)


def readers_are_free(run: Simulation) -> Iterator[str]:
    """Nobody stands there any more: no reader asks the next one who passes for a card."""
    waiting = run.rows(
        "SELECT payment_id, state FROM payments WHERE reader_id IS NOT NULL AND state IN ('created', 'prepared',"
        " 'requires_action') ORDER BY payment_id"
    )
    for payment_id, state in waiting:
        yield f"payment {payment_id} is {state} at its reader in the end"
    for reader_ref in run.books.readers_asking():
        yield f"reader {reader_ref} asks for a card still"
    for kind, summary, found in run.rows("SELECT kind, summary, count(*) FROM inbox GROUP BY kind, summary"):
        if kind == "reader_offline" and found > len(READERS):
            yield f"{found} items in the inbox say: {summary}"
