"""`tallywatt tariff simulate`: what typical sessions would cost under a tariff, as a table, as JSON, and as a chart."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk, at_desk_or_alone
from tallywatt.entrypoints.cli.reading import read_object, write_bytes
from tallywatt.entrypoints.cli.show import Column, say, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.tariff_lint import date_of, is_file, stored_tariff, today_at
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from datetime import date

    from tallywatt.entrypoints.cli.desk import Desk
    from tallywatt.entrypoints.cli.show import Data
    from tallywatt.kernel.money import Currency
    from tallywatt.rating.before import Before
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.typical import Typical

SIMULATE_EXAMPLES = examples(
    "tallywatt tariff simulate day-and-night",
    "tallywatt tariff simulate new.json --chart costs.svg",
    "tallywatt tariff simulate new.json --session 22:90:45@07:15 --json",
    "tallywatt tariff simulate capped.json --month-kwh 180 --paid-today 12.50",
)
_SESSION = re.compile(r"(\d{1,4}(?:\.\d{1,3})?):(\d{1,4})(?::(\d{1,4}))?(?:@([01]\d|2[0-3]):([0-5]\d))?")
_NOON = 12 * 60


def simulate(
    name: Annotated[
        str,
        typer.Argument(metavar="FILE|TARIFF", help="A file in OCPI's JSON, - for standard input, or a tariff's id."),
    ],
    sessions: Annotated[
        list[str] | None,
        typer.Option(
            "--session",
            metavar="KWH:MIN[:IDLE][@HH:MM]",
            help="A session of your own: energy, minutes charging, minutes idle, start.",
        ),
    ] = None,
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="On that day; today if left out.")] = None,
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="Local time; the operator's if left out.")
    ] = None,
    month: Annotated[
        str, typer.Option("--month-kwh", metavar="KWH", help="What the customer took this month before.")
    ] = "0",
    paid: Annotated[
        str,
        typer.Option("--paid-today", metavar="AMOUNT", help="What the customer paid that day before, tax included."),
    ] = "0",
    chart: Annotated[Path | None, typer.Option("--chart", metavar="FILE", help="Draw it there, as SVG.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Price typical sessions under a tariff, as a table and a chart.

    By the function that makes invoices, at their usual time and at each full hour of the day. Where nothing is installed,
    a file is priced under the standard policy, in UTC unless --zone says where.
    """
    from tallywatt.kernel import clock
    from tallywatt.rating.policy import STANDARD
    from tallywatt.rating.read import read_tariff
    from tallywatt.rating.typical import TYPICAL, simulate, simulated_data

    own = tuple(_session(one) for one in sessions or ())
    if not is_file(name):
        with at_desk(operator) as desk:
            data, policy, place = stored_tariff(desk, name), _policy(desk), zone or desk.operator.zone
            on = date_of(day) if day else today_at(desk)
    else:
        data = read_object(Path(name))
        with at_desk_or_alone(operator, all_is_said=bool(day and zone)) as beside:
            policy = STANDARD if beside is None else _policy(beside)
            place = zone or ("UTC" if beside is None else beside.operator.zone)
            on = date_of(day) if day else today_at(beside)
    clock.zone(place)
    tariff = read_tariff(data)
    before = _before(month, paid, on, tariff.currency)
    rows = simulated_data(simulate(tariff, policy, place, on, own or TYPICAL, before))
    if chart is not None:
        _draw(rows, chart, f"{tariff.name}, {on.isoformat()}")
    if as_json:
        say_json(rows)
        return
    _say_rows(rows)
    if chart is not None:
        say(f"Drawn: {chart}")


def _before(month: str, paid: str, on: date, currency: Currency) -> Before:
    """What somebody had before the day of the sessions, and on it."""
    from tallywatt.kernel.energy import milliwatt_hours
    from tallywatt.kernel.money import money
    from tallywatt.rating.before import EPOCH_DAY, Before, Paid

    minor = money(paid, currency.code).minor
    spent = (Paid(on.toordinal() - EPOCH_DAY, frozenset(), minor, minor),) if minor else ()
    return Before(milliwatt_hours(month, "kWh"), spent)


def _say_rows(rows: list[Data]) -> None:
    from tallywatt.entrypoints.pages.cost_chart import SESSIONS

    told = [
        {
            **row,
            "name": SESSIONS[row["session"]],
            "minutes": f"{row['charging_minutes']}+{row['idle_minutes']}"
            if row["idle_minutes"]
            else row["charging_minutes"],
            "price": sum_of(row["gross_minor"], row["currency"]),
            "range": _range(row),
        }
        for row in rows
    ]
    columns = (
        Column("session", "name"), Column("begins", "begins"), Column("kWh", "kwh", right=True),
        Column("min", "minutes", right=True), Column("price", "price", right=True),
        Column("per kWh", "gross_per_kwh", right=True), Column("in a day", "range", folds=True),
    )  # fmt: skip
    say_table(columns, told, empty="no session")


def _range(row: Data) -> str:
    code = str(row["currency"])
    least, most = sum_of(row["least_minor"], code), sum_of(row["most_minor"], code)
    return "" if least == most else f"{least.removesuffix(f' {code}')} to {most}"


def _session(text: str) -> Typical:
    from tallywatt.rating.typical import Typical

    found = _SESSION.fullmatch(text)
    if found is None:
        msg = f"{text!r} is no session"
        raise BadInput(msg, code="tariffs.bad_session", remedy="write it like 20:120 or 20:120:30@18:00")
    kwh, charging, idle, hours, minutes = found.groups()
    start = _NOON if hours is None else int(hours) * 60 + int(minutes)
    return Typical("own", start, int(Decimal(kwh) * 1_000_000), max(1, int(charging)), int(idle or 0))


def _policy(desk: Desk) -> Policy:
    from tallywatt.rating.policy import STANDARD, read_policy_text

    chosen = next(one["policy_version_id"] for one in desk.operators() if one["id"] == desk.operator.id)
    if chosen is None:
        return STANDARD
    return read_policy_text(desk.ask(desk.views.policy, chosen)["canonical"])


def _draw(rows: list[Data], path: Path, title: str) -> None:
    from tallywatt.entrypoints.pages.cost_chart import svg

    write_bytes(path, svg(rows, title).encode())
