"""What must be true when peace has come, whatever has happened before. Each is looked up in books that the house does not keep:
what truly happened at the plugs, what the stations were told, and the provider's own objects.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from tallywatt.kernel.energy import MILLIWATT_HOURS_PER_WH
from tests.simulation.bank import BALANCES
from tests.simulation.disputes import disputes_are_known
from tests.simulation.files import settlements_agree
from tests.simulation.furnish import OPERATOR
from tests.simulation.readers import readers_are_free
from tests.simulation.reservations import reservations_are_billed_once, reservations_are_told_truly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulation.run import Simulation
    from tests.simulation.station import Charge, Station
    from tests.simulation.their_books import TheirBooks


class Witness(Protocol):
    """Who can say what the house has written down, and what the provider has."""

    @property
    def books(self) -> TheirBooks:
        """The provider's own books."""
        ...

    def rows(self, sql: str) -> Sequence[Any]:
        """The rows that a question finds."""
        ...


def broken_truths(run: Simulation) -> list[str]:
    """Everything that must be true and is not."""
    return [
        found
        for truth in (
            _acknowledged_is_durable,
            _energy_is_there,
            _nothing_is_charged_twice,
            _captures_are_known,
            _what_is_owed_was_collected,
            _holds_have_ended,
            _allocations_are_complete,
            _books_balance,
            _numbers_have_no_gap,
            _nothing_is_left_to_do,
            _audit_is_clean,
            _positions_are_dense,
            readers_are_free,
            settlements_agree,
            disputes_are_known,
            reservations_are_told_truly,
            reservations_are_billed_once,
            _balances_add_up,
            _nothing_unforeseen_happened,
        )
        for found in truth(run)
    ]


def _named(run: Witness, table: str, *columns: str) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in run.rows(f"SELECT {', '.join(columns)} FROM {table}")]


def _acknowledged_is_durable(run: Simulation) -> Iterator[str]:
    """Commit before you answer."""
    kept = set(run.rows("SELECT s.identity, f.message_id FROM frames f JOIN stations s ON s.station_id = f.station_id"))
    for station in run.stations:
        for refused in station.refused:
            yield f"{station.identity} was refused: {refused}"
        for message_id, action in station.acknowledged:
            if (station.identity, message_id) not in kept:
                yield f"{action} {message_id} of {station.identity} was acknowledged, and is nowhere"
        if not station.is_quiet:
            yield f"{station.identity} has not come to rest: {[one.action for one in station._queue][:3]}"


def _energy_is_there(run: Simulation) -> Iterator[str]:
    sql = (
        "SELECT t.identity, s.transaction_id, s.milliwatt_hours, s.state, s.session_id, s.source FROM sessions s"
        " JOIN stations t ON t.station_id = s.station_id"
    )
    sessions: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for identity, transaction_id, energy, state, session_id, source in run.rows(sql):
        if source != "api":  # a reservation to which nobody came is billed as a session of no transaction
            sessions.setdefault((identity, transaction_id), []).append((energy, state, session_id))
        if state not in {"billed", "explained"}:
            yield f"session {session_id} of {identity} is {state} in the end"
    for station in run.stations:
        of_station = sum(len(found) for (identity, _), found in sessions.items() if identity == station.identity)
        if of_station > len(station.charges):
            yield f"{station.identity} has {of_station} sessions of {len(station.charges)} transactions"
        for charge in station.charges:
            yield from _charge_is_there(
                station, charge, sessions.get((station.identity, charge.transaction_id or ""), [])
            )


def _charge_is_there(station: Station, charge: Charge, found: list[tuple[int, str, str]]) -> Iterator[str]:
    """A transaction that the house has acknowledged is one session, with no less than what was acknowledged."""
    if not charge.start_acknowledged and not charge.acknowledged:
        return
    if len(found) != 1:
        yield f"{charge.name} is {len(found)} sessions"
        return
    if charge.meter_was_reset:
        return
    energy = found[0][0]
    first = charge.register_start
    if not charge.start_acknowledged:
        first = min(charge.acknowledged)
    least = (max([first, *charge.acknowledged]) - first) * MILLIWATT_HOURS_PER_WH
    if energy < least:
        yield f"{charge.name} told {least} mWh, its session has {energy}"
    most = (charge.register - charge.register_start) * MILLIWATT_HOURS_PER_WH
    if charge.start_acknowledged and charge.stop_acknowledged and energy != most:
        yield f"{charge.name} took {most} mWh, its session has {energy}"


def _nothing_is_charged_twice(run: Witness) -> Iterator[str]:
    """By the provider's own books: never more than the invoice, whichever way."""
    taken: Counter[str] = Counter()
    gone = {payment_id: 0 if status == "won" else minor for _, payment_id, status, minor in run.books.disputes()}
    payments = {
        row["payment_id"]: row
        for row in _named(run, "payments", "payment_id", "session_id", "invoice_id", "authorised_minor")
    }
    for theirs in run.books.payments():
        payment = payments.get(theirs.payment_id)
        # A part that was taken of a session that is written off afterwards has gone back, or the payer's bank has it.
        kept = theirs.taken_minor - theirs.returned_minor - gone.get(theirs.payment_id, 0)
        if payment is None:
            yield f"{theirs.ref} belongs to no payment"
        elif payment["invoice_id"] is None and kept:
            yield f"payment {payment['payment_id']} took {kept} for no invoice"
        elif payment["invoice_id"] is not None:
            taken[payment["invoice_id"]] += theirs.taken_minor
    for row in _named(run, "invoices", "invoice_id", "gross_minor"):
        if taken[row["invoice_id"]] > row["gross_minor"]:
            yield f"{taken[row['invoice_id']]} were taken for invoice {row['invoice_id']} of {row['gross_minor']}"


def _captures_are_known(run: Witness) -> Iterator[str]:
    taken: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    for theirs in run.books.payments():
        taken[theirs.payment_id] += theirs.taken_minor
        returned[theirs.payment_id] += theirs.returned_minor
    for payment_id, took, gave in run.rows("SELECT payment_id, taken_minor, returned_minor FROM customer_holds"):
        taken[payment_id], returned[payment_id] = took, gave
    columns = ("payment_id", "captured_minor", "suspense_minor", "refunded_minor")
    for row in _named(run, "payments", *columns):
        known = row["captured_minor"] + row["suspense_minor"]
        if known != taken[row["payment_id"]]:
            yield f"payment {row['payment_id']} knows of {known}, the provider took {taken[row['payment_id']]}"
        if row["suspense_minor"]:
            yield f"payment {row['payment_id']} has {row['suspense_minor']} in suspense"
        if row["refunded_minor"] != returned[row["payment_id"]]:
            yield f"payment {row['payment_id']}: {row['refunded_minor']} given back, {returned[row['payment_id']]} there"


def _what_is_owed_was_collected(run: Simulation) -> Iterator[str]:
    """Whose card is good has paid, and whose hold was big enough too."""
    good = {row[0] for row in run.rows("SELECT customer_id FROM customers WHERE reference = 'C1'")}
    with_card = {row["customer_id"] for row in _named(run, "payment_methods", "customer_id")}
    sql = (
        "SELECT i.invoice_id, i.gross_minor, i.payer, i.payer_id,"
        " coalesce((SELECT sum(p.captured_minor) FROM payments p WHERE p.invoice_id = i.invoice_id), 0),"
        " (SELECT min(p.state || ' ' || coalesce(p.reason, '')) FROM payments p WHERE p.invoice_id = i.invoice_id)"
        " FROM invoices i WHERE i.kind = 'invoice'"
        # What was taken, and never arrived in the end, is owed: a person asks for it.
        " AND NOT EXISTS (SELECT 1 FROM payments p JOIN operations o ON o.payment_id = p.payment_id"
        " WHERE p.invoice_id = i.invoice_id AND o.code = 'capture_lost')"
    )
    least = run.provider.dialect.least_cents
    for invoice_id, gross, payer, payer_id, captured, state in run.rows(sql):
        if gross < least:
            continue
        must = (payer == "customer" and payer_id in good & with_card) or payer == "ad_hoc"
        # What is missing after a part may be less than the provider takes.
        short = "below_minimum" in (state or "") and gross - captured < least
        if must and captured != gross and not short and "beyond_hold" not in (state or ""):
            yield f"invoice {invoice_id} of {gross} has {captured}: {payer} {state}"


def _holds_have_ended(run: Witness) -> Iterator[str]:
    for theirs in run.books.payments():
        if theirs.is_held:
            yield f"hold {theirs.ref} of payment {theirs.payment_id} has not ended"
    for row in _named(run, "payments", "payment_id", "kind", "state"):
        if row["state"] in {"created", "prepared", "requires_action", "authorised"}:
            yield f"payment {row['payment_id']} ({row['kind']}) is {row['state']} in the end"

    for payment_id, minor in run.rows("SELECT payment_id, held_minor FROM customer_holds WHERE state = 'held'"):
        yield f"payment {payment_id} holds {minor} of a customer's account in the end"


def _allocations_are_complete(run: Witness) -> Iterator[str]:
    sql = (
        "SELECT p.payment_id, p.captured_minor + p.suspense_minor,"
        " coalesce((SELECT sum(a.amount_minor) FROM allocations a WHERE a.payment_id = p.payment_id), 0) FROM payments p"
    )
    for payment_id, minor, allocated in run.rows(sql):
        if minor != allocated:
            yield f"payment {payment_id}: {allocated} of {minor} are allocated"


def _books_balance(run: Witness) -> Iterator[str]:
    """What each payer owes by the ledger is what was invoiced less what was captured and not given back."""
    accounts = {row["account_id"]: row["code"] for row in _named(run, "accounts", "account_id", "code")}
    balance: Counter[str] = Counter()
    for row in _named(run, "transfers", "debit_account_id", "credit_account_id", "amount_minor"):
        balance[accounts[row["debit_account_id"]]] += row["amount_minor"]
        balance[accounts[row["credit_account_id"]]] -= row["amount_minor"]
    wanted: Counter[str] = Counter()
    for row in _named(run, "invoices", "kind", "payer", "payer_id", "gross_minor"):
        sign = 1 if row["kind"] == "invoice" else -1
        wanted[f"receivable/{row['payer']}/{row['payer_id'] or 'unknown'}"] += sign * row["gross_minor"]
    columns = ("payment_id", "kind", "customer_id", "captured_minor", "refunded_minor")
    for row in _named(run, "payments", *columns):
        whose = f"customer/{row['customer_id']}" if row["kind"] == "stored" else f"ad_hoc/{row['payment_id']}"
        wanted[f"receivable/{whose}"] -= row["captured_minor"] - row["refunded_minor"]
    for code in sorted({one for one in (*balance, *wanted) if one.startswith("receivable/")}):
        if balance[code] != wanted[code]:
            yield f"{code} stands at {balance[code]}, and {wanted[code]} are owed"


def _numbers_have_no_gap(run: Witness) -> Iterator[str]:
    series: dict[tuple[str, int], list[int]] = {}
    for row in _named(run, "invoices", "series", "year", "sequence"):
        series.setdefault((row["series"], row["year"]), []).append(row["sequence"])
    for key, numbers in series.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"numbers of {key}: {sorted(numbers)}"


def _nothing_is_left_to_do(run: Simulation) -> Iterator[str]:
    for row in _named(run, "jobs", "kind", "subject_id", "state", "attempts", "last_error"):
        # It looks at a hold when that is about to end, days from now, and finds its session decided.
        if row["state"] != "done" and (row["kind"], row["state"]) != ("secure_hold", "ready"):
            yield f"job {row['kind']} {row['subject_id']} is {row['state']} after {row['attempts']}: {row['last_error']}"
    for row in _named(run, "operations", "operation_id", "kind", "state"):
        if row["state"] in {"intended", "unknown", "pending"}:
            yield f"operation {row['kind']} {row['operation_id']} is {row['state']} in the end"
    for row in _named(run, "station_commands", "command_id", "action", "state"):
        if row["state"] in {"requested", "sent", "accepted"}:
            yield f"command {row['action']} {row['command_id']} is {row['state']} in the end"
    for kind, summary in run.rows("SELECT kind, summary FROM inbox WHERE state = 'open'"):
        yield f"nobody could close {kind}: {summary}"


def _audit_is_clean(run: Simulation) -> Iterator[str]:
    assert run.house is not None, "peace needs a house"
    report = run.house.audit(OPERATOR)
    for finding in report.findings:
        yield f"audit: {finding.code} {finding.subject}: {finding.says} ({finding.expected}, {finding.found})"
    if report.unexplained:
        yield f"audit: {report.unexplained} mWh are neither billed nor explained"


def _balances_add_up(run: Simulation) -> Iterator[str]:
    """A balance is what was sent less what sessions took; nothing of it is held in peace, and it never was overdrawn."""
    yield from run.overdrawn
    sent: Counter[str] = Counter()
    sql = "SELECT customer_id, amount_minor FROM received_transfers WHERE target = 'balance' AND returned_at IS NULL"
    for customer_id, minor in run.rows(sql):
        sent[customer_id] += minor
    sql = "SELECT customer_id, taken_minor - returned_minor FROM customer_holds WHERE provider = 'prepaid'"
    for customer_id, minor in run.rows(sql):
        sent[customer_id] -= minor
    for code, paid_in, used, held in run.rows(BALANCES):
        wanted = sent[code.rpartition("/")[2]]
        if (paid_in - used, held) != (wanted, 0):
            yield f"{code} has {paid_in - used}, {held} of it held; {wanted} are left of what was sent"


def _positions_are_dense(run: Witness) -> Iterator[str]:
    positions = [row[0] for row in run.rows("SELECT position FROM events ORDER BY position")]
    if positions != list(range(1, len(positions) + 1)):
        yield "the positions of events have a hole"


OF_THE_BOOKS = (
    _nothing_is_charged_twice,
    _captures_are_known,
    _holds_have_ended,
    _allocations_are_complete,
    _books_balance,
    _numbers_have_no_gap,
    _positions_are_dense,
)
"""Truths that need rows and the provider's objects alone: whoever has played with real processes asks them, too."""


def _nothing_unforeseen_happened(run: Simulation) -> Iterator[str]:
    for one in sorted(set(run.world.unforeseen)):
        yield f"a job failed of a fault of the house: {one}"
