"""Pure: credit notes take back what they say of an invoice that is there, never more than it asks, and are booked so."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tallywatt.evidence.findings import Finding
from tallywatt.invoicing.invoice import InvoiceKind
from tallywatt.ledger.books import MOVING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.evidence.held import Held
    from tallywatt.invoicing.invoice import Invoice
    from tallywatt.ledger.books import Transfer
    from tallywatt.rating.records import RatedResult


def replaced_by(held: Held) -> dict[str, tuple[str, ...]]:
    """Of each invoice that stands for others: those, the newest first."""
    papers = {row.rated_id: row.invoice_id for row in held.invoices if row.kind is InvoiceKind.INVOICE}
    results: dict[str, RatedResult] = {row.rated_id: row for row in held.results}
    found: dict[str, tuple[str, ...]] = {}
    for rated_id, invoice_id in papers.items():
        chain: list[str] = []
        result = results.get(rated_id)
        while result is not None and result.supersedes is not None and len(chain) < len(papers):
            before = papers.get(result.supersedes)
            chain += [] if before is None else [before]
            result = results.get(result.supersedes)
        if chain:
            found[invoice_id] = tuple(chain)
    return found


def compare_credits(held: Held, codes: dict[str, str], transfers: dict[str, list[Transfer]]) -> Iterator[Finding]:
    """What does not agree between credit notes, their invoices, their lines and the books."""
    results: dict[str, RatedResult] = {row.rated_id: row for row in held.results}
    papers: dict[str, Invoice] = {row.invoice_id: row for row in held.invoices}
    booked: dict[str, list[Transfer]] = defaultdict(list)
    for entry in held.entries:
        if entry.kind == "invoice_credited":
            booked[entry.cause_id] += transfers[entry.entry_id]
    taken: Counter[str] = Counter()
    for note in held.invoices:
        if note.kind is not InvoiceKind.CREDIT_NOTE:
            continue
        taken[note.corrects_invoice_id or ""] += note.gross_minor
        yield from _note(note, results.get(note.rated_id), _moved(codes, booked.pop(note.rated_id, [])))
    for invoice_id, minor in sorted(taken.items()):
        paper = papers.get(invoice_id)
        if paper is None or minor > paper.gross_minor:
            says = "more was credited of it than it asks"
            asked = None if paper is None else str(paper.gross_minor)
            yield Finding("invoice.credited", invoice_id if paper is None else paper.number, says, asked, str(minor))
    yield from _replaced(held, papers, taken)
    for rated_id, rows in sorted(booked.items()):
        if rows:
            yield Finding("entry.without_invoice", rated_id, "something is taken back that no credit note carries")


def _replaced(held: Held, papers: dict[str, Invoice], taken: Counter[str]) -> Iterator[Finding]:
    for invoice_id in sorted({one for chain in replaced_by(held).values() for one in chain}):
        paper = papers[invoice_id]
        if taken[invoice_id] != paper.gross_minor:
            says = "another invoice stands for it, and it is not taken back whole"
            yield Finding(
                "invoice.replaced", paper.number, says, str(paper.gross_minor), str(taken[invoice_id])
            )  # fmt: skip


def _note(note: Invoice, result: RatedResult | None, moved: tuple[int, int, int]) -> Iterator[Finding]:
    shown = (note.net_minor, note.tax_minor, note.gross_minor)
    wanted = None if result is None else (result.net_minor, result.tax_minor, result.gross_minor)
    if shown != wanted:
        says = "its amounts are not those of its lines"
        yield Finding("credit.amounts", note.number, says, str(wanted), str(shown))
    if moved != shown:
        says = "what is booked as taken back is not what it says"
        yield Finding("credit.books", note.number, says, str(shown), str(moved))


def _moved(codes: dict[str, str], rows: list[Transfer]) -> tuple[int, int, int]:
    """Net, tax and gross that an entry takes back."""
    sums: Counter[str] = Counter()
    for row in rows:
        if row.phase in MOVING:
            sums[codes.get(row.debit_account_id, "?").partition("/")[0]] += row.amount_minor
            sums[codes.get(row.credit_account_id, "?").partition("/")[0]] -= row.amount_minor
    return sums["revenue"], sums["tax"], -sums["receivable"]
