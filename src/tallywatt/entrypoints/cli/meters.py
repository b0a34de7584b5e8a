"""`tallywatt meter-key`: the registry of meters' public keys, and which law of measurement holds at an EVSE."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.reading import read_text
from tallywatt.entrypoints.cli.show import Column, Data, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

meter_key = group("meter-key", "Public keys of meters, and the law at an EVSE.")

EvseOption = Annotated[
    str | None, typer.Option("--evse", metavar="CODE", help="Where the meter is built in; good everywhere if left out.")
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="When it was built in (RFC 3339); always if left out.")
]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="When it was taken out.")]


class Profile(StrEnum):
    """Laws of measurement."""

    NONE = "none"
    DE_CALIBRATION_LAW = "de_calibration_law"
    MID = "mid"
    US_CTEP = "us_ctep"


@meter_key.command(
    "add",
    **examples(
        "tallywatt meter-key add 1EMH0012345678 3059301306072A8648CE3D0201…",
        "tallywatt meter-key add 1EMH0012345678 @meter.pem --evse DE*ABC*E17*1",
    ),
)
def add(
    serial: Annotated[str, typer.Argument(metavar="SERIAL", help="The meter's serial number.")],
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its public key: hex, base64 or PEM, or @FILE.")],
    evse: EvseOption = None,
    valid_from: FromOption = None,
    valid_until: UntilOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Register a meter's key from a source you trust.

    Sessions that were held because it was missing are billed by themselves.
    """
    with at_desk(operator) as desk:
        told = _register(desk, serial, _read(key), evse, valid_from, valid_until)
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("meter", told["meter_serial"]),
            ("curve", told["curve"] or "as its records name it"),
            ("fingerprint", told["fingerprint"]),
            ("EVSE", told["evse"]),
            ("id", told["id"]),
        ]
    )


@meter_key.command("list", **examples("tallywatt meter-key list", "tallywatt meter-key list --json"))
def list_keys(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the registered keys."""
    with at_desk(operator) as desk:
        rows: list[Data] = desk.ask(desk.views.meter_keys)
    if as_json:
        say_json(rows)
        return
    shown = [{**row, "since": None if row["valid_from"].startswith("1970") else row["valid_from"]} for row in rows]
    columns = (
        Column("meter", "meter_serial"),
        Column("EVSE", "evse"),
        Column("curve", "curve"),
        Column("fingerprint", "fingerprint"),
        Column("from", "since"),
        Column("until", "valid_until"),
        Column("id", "id"),
    )
    say_table(columns, shown, empty="No key yet. Add one: tallywatt meter-key add SERIAL KEY")


@meter_key.command("end", **examples("tallywatt meter-key end 019cade2-11c0-7e0d-af2c-aa688d03daaa"))
def end(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `meter-key list` tells it.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="From when on (RFC 3339); now if left out.")
    ] = None,
    operator: OperatorOption = None,
) -> None:
    """Let a key hold no longer.

    Its meter was taken out, or it is not to be trusted any more.
    """
    from tallywatt.workflows.register_meter_key import EndMeterKey, end_meter_key

    with at_desk(operator) as desk:
        desk.do(end_meter_key, EndMeterKey(key_id, _instant(at)))
    say("It holds no longer. What was billed by it stays.")


@meter_key.command("import", **examples("tallywatt meter-key import keys.csv"))
def import_keys(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV with a head: meter_serial, public_key, evse, valid_from, valid_until."
        ),
    ],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Register many keys from a file, each row by itself.

    Ends with 1 when a row was refused; the others are registered.
    """
    report: list[Data] = []
    with at_desk(operator) as desk:
        for number, row in _rows(file):
            try:
                told = _register(
                    desk,
                    row["meter_serial"],
                    row["public_key"],
                    row.get("evse"),
                    row.get("valid_from"),
                    row.get("valid_until"),
                )
                report.append({"line": number, "meter": told["meter_serial"], "id": told["id"], "error": None})
            except (BadInput, NotFound) as error:
                report.append({"line": number, "meter": row["meter_serial"], "id": None, "error": error.message})
    refused = [one for one in report if one["error"] is not None]
    if as_json:
        say_json(report)
    else:
        for one in refused:
            say(f"line {one['line']}, {one['meter']}: {one['error']}")
        say(f"{len(report) - len(refused)} registered, {len(refused)} refused.")
    if refused:
        raise typer.Exit(FINDING)


@meter_key.command(
    "law",
    **examples(
        "tallywatt meter-key law DE*ABC*E17*1 de_calibration_law",
        "tallywatt meter-key law DE*ABC*E17*1 none",
    ),
)
def law(
    evse: Annotated[str, typer.Argument(metavar="CODE", help="The EVSE.")],
    profile: Annotated[Profile, typer.Argument(help="The law of measurement there.")],
    operator: OperatorOption = None,
) -> None:
    """Say which law of measurement holds at an EVSE.

    It holds for sessions that start from now on. Under de_calibration_law only what the meter has signed is billed.
    """
    from tallywatt.stations.metrology import Metrology
    from tallywatt.workflows.change_station import ChangeEvse, change_evse

    with at_desk(operator) as desk:
        desk.do(change_evse, ChangeEvse(evse, metrology=Metrology(profile.value)))
    say(f"{evse}: {profile.value}")


def _register(
    desk: Desk, serial: str, key: str, evse: str | None, valid_from: str | None, valid_until: str | None
) -> Data:
    from tallywatt.workflows.register_meter_key import RegisterMeterKey, register_meter_key

    command = RegisterMeterKey(serial, key, evse or None, _instant(valid_from), _instant(valid_until))
    row = desk.do(register_meter_key, command)
    found: Data = desk.ask(desk.views.meter_key, row["key_id"])
    return found


def _read(key: str) -> str:
    return read_text(Path(key[1:])) if key.startswith("@") else key


def _instant(text: str | None) -> Instant | None:
    return parse_instant(text) if text else None


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    import csv

    reader = csv.DictReader(read_text(file).splitlines())
    if not {"meter_serial", "public_key"} <= set(reader.fieldnames or ()):
        msg = "the first line names the columns: meter_serial, public_key, and if wanted evse, valid_from, valid_until"
        raise BadInput(msg, code="meter_keys.no_head")
    for row in reader:
        yield reader.line_num, {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
