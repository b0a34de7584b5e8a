"""Pure: metered = billed + explained, session by session; lines, results, invoices and their numbers agree to the last unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tallywatt.evidence.findings import Finding
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.invoicing.skipped import is_skipped
from tallywatt.kernel.energy import wh
from tallywatt.metering.session import SessionState
from tallywatt.rating.records import Dimension

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tallywatt.evidence.held import Held
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.metering.session import Session
    from tallywatt.rating.records import RatedLine, RatedResult, RatedTax

EXPLAINED = (SessionState.HELD, SessionState.EXPLAINED)
RUNNING = (SessionState.ACTIVE, SessionState.ENDED)


def compare_bills(held: Held, energies: dict[str, int]) -> list[Finding]:
    """What does not agree between meters, sessions, prices and papers."""
    return [
        *_energy(held, energies),
        *_prices(held),
        *_papers(held),
        *_numbers(held),
    ]


def _energy(held: Held, energies: dict[str, int]) -> Iterator[Finding]:
    results: dict[str, RatedResult] = {row.rated_id: row for row in held.results}
    explained: Counter[str] = Counter()
    for row in held.explanations:
        if row.session_id is None or row.session_id not in energies:
            yield Finding("explanation.without_session", row.explanation_id, "it explains energy of no session")
        else:
            explained[row.session_id] += row.milliwatt_hours
    reasons = {row.session_id for row in held.explanations}
    asked = {item.session_id for item in held.inbox}
    for session in held.sessions:
        metered = energies[session.session_id]
        if session.state in RUNNING:
            if explained[session.session_id]:
                yield _differs(
                    "session.explained",
                    session,
                    "it goes on, and its energy is explained",
                    0,
                    explained[session.session_id],
                )
            continue
        result = results.get(session.rated_id or "")
        billed = result.milliwatt_hours if result is not None and session.state is SessionState.BILLED else 0
        # What showed only after it was billed is explained beside the bill.
        beside = explained[session.session_id] if session.state is SessionState.BILLED else 0
        if session.milliwatt_hours + beside != metered:
            yield _differs(
                "session.energy", session, "its energy is not what the meter shows", metered, session.milliwatt_hours
            )
        if billed + explained[session.session_id] != metered:
            told = billed + explained[session.session_id]
            yield _differs(
                "session.unexplained", session, "what was metered is not billed and explained", metered, told
            )
        if session.state is SessionState.HELD and session.session_id not in reasons | asked:
            yield Finding("session.held_without_reason", session.session_id, "it is held, and no row says why")


def _differs(code: str, session: Session, says: str, expected: int, found: int) -> Finding:
    return Finding(code, session.session_id, says, wh(expected), wh(found))


def _prices(held: Held) -> Iterator[Finding]:
    lines: dict[str, list[RatedLine]] = defaultdict(list)
    taxes: dict[str, list[RatedTax]] = defaultdict(list)
    for line in held.lines:
        lines[line.rated_id].append(line)
    for tax in held.taxes:
        taxes[tax.rated_id].append(tax)
    known = {session.session_id for session in held.sessions}
    for result in held.results:
        own = lines[result.rated_id]
        if result.session_id not in known:
            yield Finding("result.without_session", result.rated_id, f"session {result.session_id} is not there")
        for name, parts in (("line", own), ("tax", taxes[result.rated_id])):
            if (total := _sums(parts)) != (wanted := (result.net_minor, result.tax_minor, result.gross_minor)):
                yield Finding(
                    f"{name}.sum", result.rated_id, f"its {name} rows do not add up to it", str(wanted), str(total)
                )
        if [line.line_number for line in sorted(own, key=lambda one: one.line_number)] != [*range(1, len(own) + 1)]:
            yield Finding("line.missing", result.rated_id, "its lines are not numbered from 1 without a gap")
        priced = sum(line.measured for line in own if line.dimension is Dimension.ENERGY)
        if priced != result.priced_milliwatt_hours:
            says = "its energy lines are not the energy that was priced"
            yield Finding("line.energy", result.rated_id, says, wh(result.priced_milliwatt_hours), wh(priced))


def _sums(parts: Iterable[RatedLine | RatedTax]) -> tuple[int, int, int]:
    rows = list(parts)
    return sum(one.net_minor for one in rows), sum(one.tax_minor for one in rows), sum(one.gross_minor for one in rows)


def _papers(held: Held) -> Iterator[Finding]:
    results: dict[str, RatedResult] = {row.rated_id: row for row in held.results}
    sessions = {row.session_id: row for row in held.sessions}
    invoices: dict[str, Invoice] = {row.invoice_id: row for row in held.invoices}
    for session in held.sessions:
        if session.state is not SessionState.BILLED:
            continue
        paper = invoices.get(session.invoice_id or "")
        if session.rated_id not in results:
            yield Finding("session.without_price", session.session_id, f"its result {session.rated_id} is not there")
        if paper is None:
            yield Finding(
                "session.without_invoice", session.session_id, f"its invoice {session.invoice_id} is not there"
            )
        elif paper.rated_id != session.rated_id or (paper.payer, paper.payer_id) != (session.payer, session.payer_id):
            yield Finding(
                "invoice.other_session",
                paper.number,
                f"it is not the price or the payer of session {session.session_id}",
            )
    for paper in held.invoices:
        if paper.session_id not in sessions:
            yield Finding("invoice.without_session", paper.number, f"session {paper.session_id} is not there")
        yield from _paper(paper, results.get(paper.rated_id))


def _paper(paper: Invoice, result: RatedResult | None) -> Iterator[Finding]:
    if paper.kind is not InvoiceKind.INVOICE:
        return
    if result is None:
        yield Finding("invoice.without_price", paper.number, f"its result {paper.rated_id} is not there")
        return
    wanted = (result.currency, result.net_minor, result.tax_minor, result.gross_minor)
    shown = (paper.currency, paper.net_minor, paper.tax_minor, paper.gross_minor)
    if shown != wanted:
        yield Finding(
            "invoice.amounts", paper.number, "its amounts are not those of its result", str(wanted), str(shown)
        )


def _numbers(held: Held) -> Iterator[Finding]:
    taken: dict[tuple[str, int], list[Invoice]] = defaultdict(list)
    for paper in held.invoices:
        taken[paper.series, paper.year].append(paper)
    counters = {(row.series, row.year): row for row in held.series}
    for place in sorted({*taken, *counters}):
        series, year = place
        papers = sorted(taken[place], key=lambda one: one.sequence)
        counter = counters.get(place)
        end = counter.next_number if counter is not None else 1
        used = {paper.sequence for paper in papers}
        for number in sorted(set(range(1, max(end, *used, 1) if used else end)) - used):
            if is_skipped(held.skipped, series, year, number):
                continue
            yield Finding("number.skipped", f"{series}-{year}-{number:06d}", "no invoice carries this number")
        for paper in papers:
            if is_skipped(held.skipped, series, year, paper.sequence):
                says = "the number is on a run that was left out"
                yield Finding("number.left_out", paper.number, says)
            if paper.sequence >= end:
                yield Finding(
                    "number.ahead", paper.number, "the counter has not given it", str(end), str(paper.sequence)
                )
        for before, after in pairwise(papers):
            if after.issue_date < before.issue_date:
                says = f"it is dated before {before.number}"
                yield Finding("number.date", after.number, says, before.issue_date, after.issue_date)
