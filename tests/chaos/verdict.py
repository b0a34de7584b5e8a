"""What must be true after a round, looked up in records that the house does not keep: the meters' file, and the provider's.
By reference, one by one, and by sum.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.connections import connect
from tallywatt.kernel.clock import parse_instant
from tallywatt.simulators.psp import books
from tallywatt.wiring import audit_beside
from tests.simulation.their_books import StripeBooks
from tests.simulation.truths import OF_THE_BOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tallywatt.settings import Settings

CURRENCY = "GBP"
ENDED_SESSIONS = frozenset({"billed", "explained"})
OPEN_OPERATIONS = frozenset({"intended", "unknown", "pending"})
OPEN_COMMANDS = frozenset({"requested", "sent", "accepted"})


class ProviderFile:
    """The provider's objects as its file has them."""

    def __init__(self, path: Path) -> None:
        self._kept: dict[str, dict[str, Any]] = {}
        for line in _lines(path):
            self._kept.update((one["id"], one) for one in line.get("put", []))

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind, as they were last."""
        return [one for one in self._kept.values() if one["object"] == kind]


@dataclass(frozen=True)
class Records:
    """Where it is written what happened: in the house, at the provider, at the meters; and what the stations said last."""

    settings: Settings
    operator_id: str
    psp_file: Path
    site_file: Path
    heard: Mapping[str, Any]


class Looking:
    """A witness: the rows that the house has left, the provider's file, the meters' file."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.provider = ProviderFile(records.psp_file)
        self.books = StripeBooks(self.provider)
        self.delivered: dict[str, dict[str, Any]] = {}
        self.acknowledged: dict[str, str] = {}
        for line in _lines(records.site_file):
            if line["kind"] == "delivered":
                self.delivered.setdefault(line["row"], line)
            elif line["kind"] == "acknowledged":
                self.acknowledged[line["row"]] = str(line["transaction"])
        self._connection = connect(records.settings.url, read_only=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a question finds."""
        return self._connection.execute(sql)

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


def broken_truths(records: Records) -> list[str]:
    """Everything that must be true and is not."""
    looking = Looking(records)
    try:
        found = [
            one
            for truth in (
                _stations_came_to_rest,
                _each_delivery_is_one_session,
                _money_is_what_was_billed,
                _nothing_is_left,
                _audit_is_clean,
            )
            for one in truth(looking)
        ]
        found += [one for truth in OF_THE_BOOKS for one in truth(looking)]
    finally:
        looking.close()
    return found


def figures(records: Records) -> dict[str, Any]:
    """How much there was: a round in which nothing happened proves nothing."""
    looking = Looking(records)
    try:
        [(invoices,)] = looking.rows("SELECT count(*) FROM invoices")
        [(ad_hoc,)] = looking.rows("SELECT count(*) FROM payments WHERE kind = 'ad_hoc'")
        [(taps,)] = looking.rows("SELECT count(*) FROM payments WHERE reader_id IS NOT NULL AND captured_minor > 0")
        return {
            "sessions": len(looking.delivered),
            "kwh": sum(one["milliwatt_hours"] for one in looking.delivered.values()) // 1_000_000,
            "invoices": invoices,
            "pence": books.read(records.psp_file).captured_minor.get(CURRENCY, 0),
            "holds": ad_hoc,
            "taps": taps,
        }
    finally:
        looking.close()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """A last line that a crash cut short was never told to anybody."""
    for raw in path.read_bytes().splitlines(keepends=True):
        if raw.endswith(b"\n"):
            yield json.loads(raw)


def _stations_came_to_rest(looking: Looking) -> Iterator[str]:
    said = looking.records.heard.get("done")
    if said is None:
        yield "the stations did not play their day to its end"
        return
    if said["facts_waiting"]:
        yield f"stations still have {said['facts_waiting']} facts that nobody acknowledged"
    for row in said["refused"]:
        yield f"the driver of {row} was turned away"
    for name in ("given_up", "handshake_refused", "answered_badly"):
        if name in looking.records.heard:
            yield f"stations: {looking.records.heard[name]}"


def _began_after_the_void(looking: Looking) -> set[str]:
    """Sessions that began after the driver's hold was given back: a person decides about them, and here there is none."""
    sql = (
        "SELECT s.session_id FROM sessions s JOIN tokens t ON t.uid_folded = s.token_uid"
        " JOIN payments p ON p.payment_id = t.payment_id WHERE s.state = 'held' AND p.state = 'voided'"
    )
    return {session_id for (session_id,) in looking.rows(sql)}


def _each_delivery_is_one_session(looking: Looking) -> Iterator[str]:
    sql = (
        "SELECT t.identity, e.number, s.started_at, s.transaction_id, s.milliwatt_hours, s.state, s.session_id"
        " FROM sessions s JOIN stations t ON t.station_id = s.station_id JOIN evses e ON e.evse_id = s.evse_id"
    )
    late = _began_after_the_void(looking)
    sessions: dict[tuple[str, int, int], list[Any]] = {}
    for identity, number, started_at, *more in looking.rows(sql):
        sessions.setdefault((identity, number, started_at), []).append(more)
    [(count, total)] = looking.rows("SELECT count(*), coalesce(sum(milliwatt_hours), 0) FROM sessions")
    for row, one in looking.delivered.items():
        found = sessions.pop((one["station"], one["connector"], parse_instant(one["started_at"])), [])
        if len(found) != 1:
            yield f"delivery {row} at {one['station']} is {len(found)} sessions"
            continue
        transaction, energy, state, session_id = found[0]
        if energy != one["milliwatt_hours"]:
            yield f"delivery {row} took {one['milliwatt_hours']} mWh, session {session_id} has {energy}"
        if state not in ENDED_SESSIONS and session_id not in late:
            yield f"session {session_id} of delivery {row} is {state} in the end"
        if looking.acknowledged.get(row, transaction) != transaction:
            yield f"delivery {row} was told it is transaction {looking.acknowledged[row]}; it is {transaction}"
    for (identity, number, started_at), found in sessions.items():
        yield f"{len(found)} sessions at {identity}/{number} of {started_at} belong to no delivery"
    delivered = sum(one["milliwatt_hours"] for one in looking.delivered.values())
    if (count, total) != (len(looking.delivered), delivered):
        yield f"{len(looking.delivered)} deliveries of {delivered} mWh, {count} sessions of {total} mWh"


def _money_is_what_was_billed(looking: Looking) -> Iterator[str]:
    """Every card is good and every hold is big enough: what was billed was taken, for each invoice and in all."""
    taken: Counter[str] = Counter()
    owner = dict(looking.rows("SELECT payment_id, invoice_id FROM payments"))
    for theirs in looking.books.payments():
        taken[owner.get(theirs.payment_id) or ""] += theirs.taken_minor
        if theirs.returned_minor:
            yield f"{theirs.returned_minor} of {theirs.ref} went back, and nobody had asked for it"
    billed = 0
    for invoice_id, number, gross, payer in looking.rows("SELECT invoice_id, number, gross_minor, payer FROM invoices"):
        billed += gross
        if taken[invoice_id] != gross:
            yield f"invoice {number} ({payer}) of {gross}: the provider took {taken[invoice_id]}"
    totals = books.read(looking.records.psp_file)
    if totals.captured_minor.get(CURRENCY, 0) != billed:
        yield f"{billed} were billed in all, the provider took {totals.captured_minor}"
    if totals.holds_open:
        yield f"{totals.holds_open} holds are open at the provider"


def _nothing_is_left(looking: Looking) -> Iterator[str]:
    for kind, subject, state, attempts, error in looking.rows(
        "SELECT kind, subject_id, state, attempts, last_error FROM jobs"
    ):
        if state != "done":
            yield f"job {kind} {subject} is {state} after {attempts}: {error}"
    for kind, operation_id, state in looking.rows("SELECT kind, operation_id, state FROM operations"):
        if state in OPEN_OPERATIONS:
            yield f"operation {kind} {operation_id} is {state} in the end"
    for action, command_id, state in looking.rows("SELECT action, command_id, state FROM station_commands"):
        if state in OPEN_COMMANDS:
            yield f"command {action} {command_id} is {state} in the end"
    late = _began_after_the_void(looking)
    for kind, summary, session_id in looking.rows("SELECT kind, summary, session_id FROM inbox WHERE state = 'open'"):
        if session_id not in late:
            yield f"nobody could close {kind}: {summary}"
    [(waiting,)] = looking.rows("SELECT count(*) FROM events WHERE position IS NULL")
    if waiting:
        yield f"{waiting} events have no position"


def _audit_is_clean(looking: Looking) -> Iterator[str]:
    report = audit_beside(looking.records.settings, looking.records.operator_id)
    for finding in report.findings:
        yield f"audit: {finding.code} {finding.subject}: {finding.says} ({finding.expected}, {finding.found})"
    if report.unexplained or report.running:
        yield f"audit: {report.unexplained} mWh are neither billed nor explained, {report.running} still run"
    delivered = sum(one["milliwatt_hours"] for one in looking.delivered.values())
    if report.delivered != delivered:
        yield f"audit: {report.delivered} mWh were metered, the meters say {delivered}"
