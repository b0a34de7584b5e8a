"""The bank of the house: what customers send, what is told twice, and what goes back to where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.payments.bank import ToldBankLine
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.take_statement import DecideBankLine, TakeStatement, decide_bank_line, take_statement
from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line
from tests.simulation.furnish import OPERATOR
from tests.simulation.world import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.house import LivingHouse
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation

OPEN_ITEM = (
    "SELECT i.number, h.taken_minor - h.returned_minor - h.settled_minor FROM customer_holds h"
    " JOIN invoices i ON i.invoice_id = h.invoice_id WHERE h.provider = 'invoice' AND h.state = 'taken'"
    " AND h.taken_minor - h.returned_minor - h.settled_minor > 0 ORDER BY h.payment_id LIMIT 1"
)


def pay_an_item(run: Simulation, step: Step) -> None:
    """A customer pays by bank what is open, or more, or less; whoever reads the statements may do so twice."""
    told: list[ToldBankLine] = []

    def read(house: LivingHouse) -> None:
        if not told:
            found = house.ask_now(lambda connection: connection.execute(OPEN_ITEM))
            if not found:
                return
            number, minor = found[0]
            told.append(_line(run, step, max(1, minor * step.told["percent"] // 100), number))
        _take(house, *told)

    run.ask_house(read)
    if step.told["twice"]:
        run.world.after(2 * MINUTE, lambda: run.ask_house(read))
    if step.told["returned"]:
        run.world.after(5 * MINUTE, lambda: run.ask_house(lambda house: _take(house, *map(_back, told))))


def top_up(run: Simulation, step: Step) -> None:
    """A customer fills up the balance by bank, and a person says so; some of that goes back when it is all there still."""
    line = _line(run, step, step.told["minor"], "for my balance")

    def read(house: LivingHouse) -> None:
        _take(house, line)
        decided = DecideBankLine(line.line_id, customer="C5", target=TransferFor.BALANCE)
        house.write_now(OPERATOR, decide_bank_line, decided, actor="person")

    run.ask_house(read)
    if step.told["twice"]:
        run.world.after(2 * MINUTE, lambda: run.ask_house(read))
    if step.told["returned"]:
        run.world.after(5 * MINUTE, lambda: run.ask_house(lambda house: _take(house, _back(line))))


DECIDED = "SELECT line_id, amount_minor FROM bank_lines WHERE state <> 'open' ORDER BY line_id"


def undo_a_line(run: Simulation, step: Step) -> None:
    """A person takes back what was decided about some line, and may say otherwise; what cannot be taken back is refused."""

    def undo(house: LivingHouse) -> None:
        found = house.ask_now(lambda connection: connection.execute(DECIDED))
        if not found:
            return
        line_id, minor = found[step.told["place"] % len(found)]
        try:
            house.write_now(OPERATOR, undo_bank_line, UndoBankLine(line_id, "another one's"), actor="person")
            if step.told["anew"] and minor > 0:
                house.write_now(OPERATOR, decide_bank_line, DecideBankLine(line_id, customer="C5"), actor="person")
        except Conflict as refused:
            run.world.say(f"undo: {refused.code}")

    run.ask_house(undo)


def _line(run: Simulation, step: Step, minor: int, words: str) -> ToldBankLine:
    name = f"{step.kind} {step.at}"
    now = Instant(run.world.now)
    return ToldBankLine(name, "GB..3000", "S1", name, now, minor, "EUR", end_to_end=name, remittance=words)


def _back(line: ToldBankLine) -> ToldBankLine:
    name = f"{line.line_id} back"
    return ToldBankLine(
        name, line.bank_account, "S2", name, line.booked_at, -line.amount_minor, "EUR",
        end_to_end=line.end_to_end, return_code="AC04",
    )  # fmt: skip


def _take(house: LivingHouse, *lines: ToldBankLine) -> None:
    if lines:
        house.write_now(OPERATOR, take_statement, TakeStatement(lines, "sim"), actor="person")


def balances_are_covered(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """Of rows of code, credits posted, debits posted, debits pending: at every moment no more is used or held than is there."""
    for code, paid_in, used, held in rows:
        if not 0 <= held <= paid_in - used:
            yield f"{code}: {held} are held of {paid_in - used}"


BALANCES = "SELECT code, credits_posted, debits_posted, debits_pending FROM accounts WHERE code LIKE 'prepaid/%'"
