"""`tallywatt verify-meter`: whether signed meter values hold and may be billed, one a line for pipelines, and for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.reading import answer_lines, read_bytes
from tallywatt.entrypoints.cli.show import Column, kwh_of, say, say_fields, say_table
from tallywatt.entrypoints.cli.words import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = examples(
    "tallywatt verify-meter records.jsonl --jsonl > verdicts.jsonl",
    "tallywatt verify-meter receipt.xml",
    "tallywatt verify-meter record.ocmf --public-key @meter.pem",
)


def verify_meter(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="OCMF, ALFEN or SAFE XML; - (or nothing) reads standard input.")
    ] = Path("-"),
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One JSON object a line, in and out (keys: docs/reference/verify-meter.md).")
    ] = False,
    public_key: Annotated[
        str | None,
        typer.Option(
            "--public-key", metavar="KEY", help="The meter's key: hex, base64 or PEM, or @FILE that holds it."
        ),
    ] = None,
) -> None:
    """Verify signed meter values; say what may be billed.

    OCMF, ALFEN and SAFE XML containers of them are read; no database is needed. A key that comes with the data proves
    nothing about the meter: without --public-key the signature is checked, and nothing is billable.

    With --jsonl every line is answered, whatever it holds. Without it, FILE holds the records of one transaction, and the
    command ends with 1 when their energy is not billable.
    """
    key = _key(public_key)
    if not jsonl:
        answer = _verified({"data": _text(file), "public_key": key})
        _show(answer)
        if not answer["billable"]["energy"]:
            raise typer.Exit(FINDING)
        return

    def verdict(line: Any) -> dict[str, Any]:
        if key is not None and isinstance(line, dict):
            line.setdefault("public_key", key)
        return _verified(line)

    answer_lines(file, verdict)


def _verified(line: Any) -> dict[str, Any]:
    from tallywatt.metering.signed.pipeline import verify_line

    return verify_line(line)


def _text(file: Path) -> str:
    return read_bytes(file).decode("utf-8", "surrogateescape")


def _key(told: str | None) -> str | None:
    return _text(Path(told[1:])).strip() if told is not None and told.startswith("@") else told


_VERDICTS = {"valid": "valid", "invalid": "not valid", "unverifiable": "cannot be verified"}


def _show(answer: dict[str, Any]) -> None:
    """A verdict as people read it."""
    from tallywatt.metering.signed.reasons import SENTENCES, Code

    energy = answer.get("energy_wh")
    billable = [name for name in ("energy", "time") if answer["billable"][name]]
    duration = answer.get("time_basis") == "duration"
    records = answer.get("records", [])
    say_fields(
        [
            ("signature", _VERDICTS[answer["signature"]]),
            ("billable", billable or "nothing"),
            ("energy", None if energy is None else kwh_of(str(energy))),
            ("from", answer.get("started_at")),
            ("to", answer.get("ended_at")),
            ("clock", "its duration is billable, the time of day is not" if duration else None),
            ("register", answer.get("register")),
            ("meter", _each(records, "meter_serial")),
            ("user", _each(records, "user")),
            ("format", answer["format"]),
        ]
    )
    for title, codes in (("Why not", answer["reasons"]), ("Note", answer["warnings"])):
        if codes:
            say(f"\n{title}")
            for code in codes:
                say(f"  {code}: {SENTENCES[Code(code)]}")
    if records:
        say()
        say_table(
            (
                Column("record", "place", right=True),
                Column("page", "pagination"),
                Column("signature", "verdict"),
                Column("reading", "purpose"),
                Column("at", "at"),
                Column("clock", "clock"),
                Column("Wh", "wh", right=True),
            ),
            _rows(records),
            empty="",
        )


def _each(records: list[dict[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(one[key] for one in records if key in one))


def _rows(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for place, record in enumerate(records, 1):
        about = {"place": place, "pagination": record.get("pagination"), "verdict": _VERDICTS[record["signature"]]}
        for reading in record["readings"] or [{}]:
            yield {**about, **{key: reading.get(key) for key in ("purpose", "at", "clock", "wh")}}
            about = dict.fromkeys(about, "")
