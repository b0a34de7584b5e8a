"""`tallywatt rate`: what charge detail records cost under their tariffs, one a line, for pipelines and for people."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tallywatt.entrypoints.cli.show import Column, say, say_fields, say_table
from tallywatt.entrypoints.cli.words import examples
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    if not jsonl:
        _show(rate_line(_decoded(b"".join(_lines(file)))))
        return
    encoder = msgspec.json.Encoder(decimal_format="number")
    out = typer.get_binary_stream("stdout")
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            out.write(encoder.encode(_answer(line, number)) + b"\n")
    out.flush()


def _answer(line: bytes, number: int) -> dict[str, Any]:
    from tallywatt.rating.pipeline import rate_line

    try:
        return rate_line(_decoded(line))
    except BadInput as error:
        code, says = error.code, error.message
    except Exception as error:  # noqa: BLE001 - one line in a million that nobody thought of must not end the run
        code, says = "line.not_answered", f"cannot be answered: {error!r}"
    return {"id": None, "error": {"code": code, "message": f"line {number}: {says}", "path": ""}}


def _decoded(text: bytes) -> Any:
    """JSON with every figure as it was written: a price never goes through a binary fraction."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"is not JSON: {error}"
        raise BadInput(msg, code="line.not_json") from error


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def _lines(file: Path) -> Iterator[bytes]:
    try:
        if str(file) == "-":
            yield from typer.get_binary_stream("stdin")
            return
        with file.open("rb") as opened:
            yield from opened
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise BadInput(msg, code="file.unreadable") from error


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
