"""`tallywatt rate`: what charge detail records cost under their tariffs, one a line, for pipelines and for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.reading import answer_lines, read_bytes, read_json
from tallywatt.entrypoints.cli.show import Column, say, say_fields, say_table
from tallywatt.entrypoints.cli.words import examples
from tallywatt.kernel.errors import BadInput

EXAMPLES = examples(
    "tallywatt rate checks.jsonl --jsonl > priced.jsonl",
    "zcat november.jsonl.gz | tallywatt rate - --jsonl",
    "tallywatt rate one.json",
)


def rate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Records with their tariffs; - (or nothing) reads standard input.")
    ] = Path("-"),
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a line, in and out (keys: docs/reference/rate.md).")
    ] = False,
) -> None:
    """Price OCPI charge detail records, and say why.

    The records and their tariffs may be of OCPI 2.1.1, 2.2.1 or 2.3.0; no database is needed.

    With --jsonl a line that cannot be priced is answered with its error, and the run goes on. Without it, FILE holds
    one object, and the answer is a table.
    """
    from tallywatt.rating.pipeline import rate_line

    if jsonl:
        answer_lines(file, rate_line, told={"path": ""})
    else:
        _show(rate_line(read_json(read_bytes(file))))


def _show(answer: dict[str, Any]) -> None:
    """A price as people read it."""
    if "error" in answer:
        error = answer["error"]
        raise BadInput(error["message"], code=error["code"])
    rows = [
        {**one, "used": f"{one['quantity']} {one['unit']}", "rate": "" if one["vat"] is None else f"{one['vat']} %"}
        for one in answer["lines"]
    ]
    columns = (
        Column("for", "reason"),
        Column("quantity", "used"),
        Column("price", "unit_price"),
        Column("tax", "rate"),
        Column("before tax", "before_taxes"),
        Column("after tax", "after_taxes"),
    )
    say_table(columns, rows, empty="Nothing is charged.")
    total = answer["total_cost"]
    say_fields(
        [
            ("total before tax", f"{total['before_taxes']} {answer['currency']}"),
            ("total after tax", f"{total['after_taxes']} {answer['currency']}"),
        ]
    )
    for one in answer["warnings"]:
        say(f"Note: {one['message']}")
