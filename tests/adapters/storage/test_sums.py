"""Running sums: whatever happens, they are those of the rows; what was written past them is found, and mended by a command."""

from __future__ import annotations

import random
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.evidence import audit
from tallywatt.adapters.storage.sums import counted, standing
from tallywatt.adapters.storage.views import Views
from tallywatt.kernel.errors import TallywattError
from tallywatt.kernel.money import Money, currency
from tallywatt.metering.session import SessionState
from tallywatt.payments.payment import PaymentState
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.pay_ad_hoc import PayAdHoc, pay_ad_hoc
from tallywatt.workflows.recount_sums import RecountSums, recount_sums
from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tests.evidence.test_audit import ad_hoc
from tests.workflows.house_of import TAKEN_BY, HouseOf, kwh

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.adapters.storage.connections import Connection

GBP = currency("GBP")
SEED = 4


def added_up(connection: Connection, operator: str) -> dict[str, Any]:
    """What the first page shows, by reading every row: how it was made before there were sums."""
    mark = "?" if connection.dialect == "sqlite" else "%s"

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql.replace("MINE", f"operator_id = {mark}"), (operator,))

    energy = {
        state: (int(many), int(amount))
        for state, many, amount in ask(
            "SELECT state, count(*), sum(milliwatt_hours) FROM sessions WHERE MINE GROUP BY state"
        )
    }
    explained = {
        reason: int(amount)
        for reason, amount in ask("SELECT reason, sum(milliwatt_hours) FROM explanations WHERE MINE GROUP BY reason")
    }
    [papers] = ask(
        "SELECT count(*), sum(sign * gross_minor), sum(sign * net_minor), sum(sign * tax_minor) FROM"
        " (SELECT CASE kind WHEN 'invoice' THEN 1 ELSE -1 END AS sign, gross_minor, net_minor, tax_minor"
        " FROM invoices WHERE MINE) AS papers"
    )
    [paid] = ask("SELECT sum(captured_minor), sum(refunded_minor), sum(suspense_minor) FROM payments WHERE MINE")
    [held] = ask("SELECT sum(authorised_minor) FROM payments WHERE MINE AND state = 'authorised'")
    [allocated] = ask("SELECT sum(amount_minor) FROM allocations WHERE MINE AND target = 'invoice'")
    invoices, billed, net, tax, captured, refunded, suspense, on_cards, collected = (
        int(one or 0) for one in (*papers, *paid, *held, *allocated)
    )
    return {
        "sessions": {state: many for state, (many, _) in energy.items()},
        "payments": {
            state: int(many)
            for state, many in ask("SELECT state, count(*) FROM payments WHERE MINE GROUP BY state")
        },
        "invoices": invoices,
        "delivered": sum(amount for _, amount in energy.values()),
        "billed": energy.get("billed", (0, 0))[1],
        "explained": {reason: amount for reason, amount in explained.items() if amount},
        "money": {
            "invoices": invoices, "billed_minor": billed, "net_minor": net, "tax_minor": tax, "captured_minor": captured,
            "refunded_minor": refunded, "suspense_minor": suspense, "held_minor": on_cards, "owed_minor": billed - collected,
            "on_account_minor": 0,
        },
    }  # fmt: skip


def shown(connection: Connection, operator: str) -> dict[str, Any]:
    """The same figures as the first page gets them."""
    told = Views.overview(connection, operator)
    wh = {name: told["energy"][name] for name in ("delivered_wh", "billed_wh")}
    return {
        "sessions": told["sessions"],
        "payments": told["payments"],
        "invoices": told["invoices"],
        "delivered": mwh(wh["delivered_wh"]),
        "billed": mwh(wh["billed_wh"]),
        "explained": {reason: mwh(one) for reason, one in told["energy"]["explained_by"].items()},
        "money": told["money"]["GBP"],
    }


def listed_accounts(house: HouseOf) -> dict[str, tuple[int, int]]:
    """Debits and credits of every account, page by page."""
    found: dict[str, tuple[int, int]] = {}
    cursor = None
    while True:
        page = Views.page(house.reader, "ledger_accounts", house.operator, 3, cursor)
        found |= {row["code"]: (row["debits_minor"], row["credits_minor"]) for row in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return found


def posted(connection: Connection) -> dict[str, tuple[int, int]]:
    """The same, added up from the transfers."""
    sides = "SELECT code, (SELECT {0}debit_account_id{1}), (SELECT {0}credit_account_id{1}) FROM accounts"
    rows = connection.execute(
        sides.format(
            "coalesce(sum(amount_minor), 0) FROM transfers WHERE phase IN ('single', 'post') AND ", " = account_id"
        )
    )
    return {code: (int(debits), int(credited)) for code, debits, credited in rows}


def mwh(wh: str) -> int:
    """Milliwatt-hours of Wh as they are shown."""
    whole, _, part = wh.partition(".")
    return int(whole) * 1000 + int(part.ljust(3, "0"))


class Life:
    """What may happen in a house, in any order; whatever is refused is part of it."""

    def __init__(self, house: HouseOf, chance: random.Random) -> None:
        self.house, self.chance, self.meter = house, chance, 0
        self.wire = house.wire()

    def charges(self, token: str = "CARD1") -> str:
        """A whole session."""
        energy = kwh(self.chance.randrange(1, 30)) + self.chance.randrange(1000)
        self.meter += kwh(100)
        return self.wire.charge(energy, meter=self.meter, token=token)

    def charges_unknown(self) -> None:
        """Held for its payer, then decided."""
        self.charges(token="NOBODY")

    def charges_far_too_much(self) -> None:
        """Implausible: a person decides."""
        self.meter += kwh(500)
        self.wire.charge(kwh(400), meter=self.meter)

    def person_decides(self) -> None:
        """Written off or released."""
        for item in self.house.inbox()[:1]:
            self.house.do(
                resolve_item, ResolveItem(item.item_id, self.chance.choice([Decision.RELEASE, Decision.WRITE_OFF]))
            )

    def starts(self) -> None:
        """A session that goes on; the next one tells that its stop was lost."""
        self.meter += kwh(100)
        transaction = self.wire.start(meter=self.meter)
        self.wire.sample(transaction, (self.house.later(10), self.meter + kwh(2)))

    def pays_ad_hoc(self) -> None:
        """A hold, a session, what was used is taken."""
        ad_hoc(self.house)

    def holds(self) -> None:
        """A hold that stands."""
        [evse] = self.house.rows.evses.by(code="GB*TWA*ECP1*2")
        self.house.do(pay_ad_hoc, PayAdHoc(evse.evse_id, Money(2500, GBP), "Depot", "http://ok", "http://no"))
        self.house.collect()

    def lets_go(self) -> None:
        """A hold that nothing came of."""
        for one in self.house.rows.payments.by(state=PaymentState.AUTHORISED.value)[:1]:
            self.house.do(void_hold, VoidHold(one.payment_id, "never_plugged_in"))
            self.house.collect()

    def collects(self) -> None:
        """The provider answers."""
        self.house.collect()

    def gives_back(self) -> None:
        """A part of what was taken, or more than there is."""
        for one in self.house.rows.payments.by(state=PaymentState.CAPTURED.value)[:1]:
            minor = self.chance.randrange(1, 400)
            self.house.do(give_back, GiveBack(one.payment_id, Money(minor, GBP), "late", f"r{minor}"))
            self.house.collect()

    def is_erased(self) -> None:
        """The customer is forgotten; the figures stay."""
        self.house.print_papers()
        self.house.do(erase_customer, EraseCustomer("C1"))

    def dies(self) -> None:
        """Nothing in memory is left."""
        self.house.kill()


HAPPENINGS: tuple[Callable[[Life], Any], ...] = (
    Life.charges, Life.charges, Life.charges_unknown, Life.charges_far_too_much, Life.person_decides, Life.starts,
    Life.pays_ad_hoc, Life.holds, Life.lets_go, Life.collects, Life.gives_back, Life.gives_back, Life.dies,
)  # fmt: skip


def test_whatever_happens_the_first_page_shows_what_the_rows_say(house: HouseOf) -> None:
    """Held, released, written off, paid, given back, let go, lost, erased, restarted: in an order that nobody thought of."""
    chance = random.Random(SEED)
    house.keep_a_card()
    life = Life(house, chance)
    for happens in (*chance.choices(HAPPENINGS, k=30), *HAPPENINGS, Life.collects, Life.is_erased):
        with suppress(TallywattError):
            happens(life)

        assert standing(house.reader, house.operator) == counted(house.reader, house.operator), happens.__name__

    told = shown(house.reader, house.operator)
    assert told == added_up(house.reader, house.operator)
    assert {"active", "billed", "held"} <= set(told["sessions"])
    assert {"captured", "voided"} <= set(told["payments"])
    assert told["money"]["refunded_minor"] > 0
    assert Views.ledger_balanced(house.reader, house.operator)
    assert listed_accounts(house) == posted(house.reader)


def test_what_was_refused_in_a_group_is_not_counted(house: HouseOf) -> None:
    """A command that fails is undone alone; its neighbours, and their sums, stay."""
    wire = house.wire()
    started = [wire.started(house.later(1), evse=evse) for evse in (1, 2)]
    answers: list[Any] = []

    def start_and_fail(work: Any, _: None) -> None:
        work.sessions.add_new(work.sessions.by(state=SessionState.ACTIVE.value)[0])
        msg = "not today"
        raise TallywattError(msg)

    for workflow, command in (
        (TAKEN_BY[type(started[0])], started[0]),
        (start_and_fail, None),
        (TAKEN_BY[type(started[1])], started[1]),
    ):
        house.writer.submit(house.operator, workflow, command, answers.append, actor="test")
    house.writer.step()

    assert isinstance(answers[1], TallywattError)
    assert standing(house.reader, house.operator) == {("sessions.count", "active", ""): 2}


def test_two_processes_count_at_the_same_time(postgresql_house_url: str) -> None:
    """Each has a writer of its own; none waits for the other in a circle, and nothing is lost."""
    with HouseOf(postgresql_house_url) as house:
        house.furnish()
        wires = [house.wire(), house.station("CP2")]
        facts = [
            [wire.started(house.later(1), meter=kwh(one), evse=one % 2 + 1) for one in range(12)] for wire in wires
        ]
        meet = threading.Barrier(2)

        def write(own: list[Any]) -> None:
            writer = house.another_writer()
            meet.wait()
            for fact in own:
                writer.submit(house.operator, TAKEN_BY[type(fact)], fact, lambda _: None, actor="test")
                writer.step()
            writer.stop()

        threads = [threading.Thread(target=write, args=(own,)) for own in facts]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

        sums = standing(house.reader, house.operator)
        assert sums == counted(house.reader, house.operator)
        assert sum(amount for (name, _, _), amount in sums.items() if name == "sessions.count") == 24


def test_a_sum_that_was_written_into_is_named_and_made_anew(house: HouseOf) -> None:
    """By hand, by a bulk insert, by a version that did not know of it: the audit says which, a command mends it."""
    house.wire().charge(kwh(10))
    by_hand(house, "UPDATE running_sums SET amount = amount + 7 WHERE figure = 'invoices.gross_minor'")
    by_hand(house, "DELETE FROM running_sums WHERE figure = 'explanations.milliwatt_hours' OR part = 'revenue'")

    findings = audit(house.reader, house.vault, house.operator).findings
    assert {(one.code, one.subject, one.expected, one.found) for one in findings} == {
        ("sum.differs", "invoices.gross_minor invoice GBP", "300", "307"),
        ("sum.differs", "transfers.credits revenue GBP", "250", "0"),
    }

    wrong = house.do(recount_sums, RecountSums())

    assert [(one.figure, one.was, one.now) for one in wrong] == [
        ("invoices.gross_minor invoice GBP", 307, 300),
        ("transfers.credits revenue GBP", 0, 250),
    ]
    house.adds_up()
    assert house.do(recount_sums, RecountSums()) == ()
    [recorded] = house.rows.actions.by(action="sums.recount")
    assert recorded.before == {one.figure: one.was for one in wrong}


def test_what_the_same_group_has_counted_is_counted_once(house: HouseOf) -> None:
    """A recount reads rows whose own addition is still to be written."""
    wire = house.wire()
    answers: list[Any] = []
    before, after = wire.started(house.later(1)), wire.started(house.later(1), evse=2)
    house.writer.submit(house.operator, TAKEN_BY[type(before)], before, answers.append, actor="test")
    house.writer.submit(house.operator, recount_sums, RecountSums(), answers.append, actor="test")
    house.writer.submit(house.operator, TAKEN_BY[type(after)], after, answers.append, actor="test")
    house.writer.step()

    assert answers[1] == ()
    assert standing(house.reader, house.operator) == {("sessions.count", "active", ""): 2}


def by_hand(house: HouseOf, sql: str) -> None:
    """SQL of somebody who does not ask the product."""
    with closing(connect(house.url)) as connection:
        connection.begin()
        connection.change(sql)
        connection.commit()
