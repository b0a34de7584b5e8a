"""`tallywatt invoice`: the papers, by number."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.reading import write_bytes
from tallywatt.entrypoints.cli.show import Column, Data, say, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.errors import Conflict, NotFound

invoice = group("invoice", "Invoices: numbered without a gap, never edited.")


@invoice.command("list", **examples("tallywatt invoice list", "tallywatt invoice list --limit 100 --json"))
def list_invoices(limit: LimitOption = None, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List invoices, the newest first."""
    with at_desk(operator) as desk:
        found = desk.pages(desk.views.invoices, limit or (None if as_json else IN_A_TABLE))
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "payer": one["customer"] or one["payer"],
            "total": sum_of(one["gross_minor"], one["currency"]),
            "owed": sum_of(one["owed_minor"], one["currency"]),
        }
        for one in found
    ]
    columns = (Column("number", "number"), Column("issued", "issue_date"), Column("payer", "payer", folds=True))
    more = (Column("total", "total", right=True), Column("owed", "owed", right=True))
    say_table((*columns, *more), rows, empty="No invoice yet.")


@invoice.command(
    "show",
    **examples(
        "tallywatt invoice show INV-2026-000042",
        "tallywatt invoice show INV-2026-000042 --pdf invoice.pdf",
        "tallywatt invoice show 019359a1-7c00-7d11-8a55-0d2b6f0c9e41 --json",
    ),
)
def show(
    number_or_id: Annotated[str, typer.Argument(metavar="NUMBER_OR_ID", help="As printed, or the id.")],
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write the PDF there.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show an invoice, and write its PDF if asked to."""
    with at_desk(operator) as desk:
        found: Data | None = desk.ask(desk.views.invoice, number_or_id)
        if found is None:
            msg = f"there is no invoice {number_or_id!r}"
            raise NotFound(msg, code="invoices.not_found", remedy="list them: tallywatt invoice list")
        printed = None if pdf is None else desk.ask(desk.views.printed_invoice, found["id"])
    if pdf is not None:
        if printed is None:
            msg = f"invoice {found['number']} is not printed yet"
            raise Conflict(
                msg, code="invoices.not_printed", remedy="a worker prints it: let tallywatt serve run a moment"
            )
        write_bytes(pdf, printed["content"])
    if as_json:
        say_json(found)
        return
    _say(found)
    if pdf is not None:
        say(f"\nThe PDF is in {pdf}.")


def _say(one: Data) -> None:
    code = one["currency"]
    say_fields(
        [
            (one["kind"].replace("_", " "), one["number"]),
            ("id", one["id"]),
            ("issued", one["issue_date"]),
            ("payer", one["customer"] or one["payer"]),
            ("net", sum_of(one["net_minor"], code)),
            ("tax", sum_of(one["tax_minor"], code)),
            ("total", sum_of(one["gross_minor"], code)),
            ("collected", sum_of(one["captured_minor"], code)),
            ("owed", sum_of(one["owed_minor"], code)),
            ("session", one["session_id"]),
            ("printed", [paper["media_type"] for paper in one["printed"]]),
        ]
    )
