"""`tallywatt tariff lint`: what looks wrong in a tariff, and what rules say against it where it may hold."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tallywatt.entrypoints.cli.desk import at_desk, at_desk_or_alone
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.reading import read_object
from tallywatt.entrypoints.cli.show import say, say_json
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.entrypoints.cli.desk import Desk
    from tallywatt.entrypoints.cli.show import Data
    from tallywatt.rating.law import Site

LINT_EXAMPLES = examples(
    "tallywatt tariff lint day-and-night.json",
    "tallywatt tariff lint day-and-night --on 2027-01-01",
    "tallywatt tariff lint tariff.json --at DE:150 --on 2027-01-01 --json",
)


class FailOn(StrEnum):
    """How bad a finding must be for the command to fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


def lint(
    name: Annotated[
        str,
        typer.Argument(metavar="FILE|TARIFF", help="A file in OCPI's JSON, - for standard input, or a tariff's id."),
    ],
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at", metavar="COUNTRY[:KW]", help="Ask rules for such a charging point; the operator's own if left out."
        ),
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="Ask rules for that day; today if left out.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="End with 1 if a finding is as bad as that.")
    ] = FailOn.ERROR,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Look for what is wrong in a tariff, and rules it breaks.

    Gaps, elements that are never reached, windows that overlap, misspelt keys, prices that jump, taxes that are missing.
    With a file and --at and --on no database is asked, so it can run wherever the file is written. Where nothing is
    installed, a file is looked at alone, and rules are asked for --at.
    """
    from tallywatt.rating.examine import examine, is_bad
    from tallywatt.rating.findings import Gravity, finding_data

    named, wanted = _named_sites(at or ()), date_of(on) if on else None
    if not is_file(name):
        with at_desk(operator) as desk:
            data, stored, before = stored_tariff(desk, name), True, None
            sites, day = named or sites_at(desk), wanted or today_at(desk)
    else:
        data, stored = read_object(Path(name)), False
        with at_desk_or_alone(operator, all_is_said=bool(named and wanted)) as beside:
            sites = named or (() if beside is None else sites_at(beside))
            day = wanted or today_at(beside)
            before = None if beside is None else _before(beside, data)
    found = examine(data, sites, day, before=before, stored=stored)
    rows = [finding_data(one) for one in found]
    if as_json:
        say_json(rows)
    else:
        say_findings(rows)
        say_looked_at(sites, day, len(rows))
    if fail_on is not FailOn.NEVER and is_bad(found, Gravity(fail_on.value)):
        raise typer.Exit(FINDING)


def found_in(desk: Desk, data: Data) -> list[Data]:
    """The findings of a tariff that is about to be put, at all charging points of the operator, today."""
    from tallywatt.rating.examine import examine
    from tallywatt.rating.findings import finding_data

    markets = desk.ask(desk.views.markets)
    found = examine(data, sites_at(desk), today_at(desk), before=_before(desk, data), markets=markets)
    return [finding_data(one) for one in found]


def sites_at(desk: Desk, scope: str = "operator", target: str = "") -> tuple[Site, ...]:
    """The kinds of charging points at a place."""
    from tallywatt.rating.examine import sites_of

    country = next(one["country"] for one in desk.operators() if one["id"] == desk.operator.id)
    return sites_of(desk.ask(desk.views.sites, scope, target), country)


def is_file(name: str) -> bool:
    """Whether a tariff is named by a file, or by standard input."""
    return name == "-" or Path(name).is_file()


def today_at(desk: Desk | None) -> date:
    """The calendar day of the operator, in business time; that of this machine in UTC where there is none."""
    from tallywatt.kernel.clock import local_date

    if desk is None:
        from tallywatt.wiring import MachineClock

        return local_date(MachineClock().now(), "UTC")
    return local_date(desk.business_now(), desk.operator.zone)


def say_findings(rows: Iterable[Data]) -> None:
    """Findings for people: how bad, where, what, and what to do."""
    for one in rows:
        rule = f" [{one['rule']}: {', '.join(one['places'])}]" if one["rule"] else ""
        say(f"{one['gravity']}  {one['code']}  {one['path']}{rule}")
        say(f"    {one['message']}")
        say(f"    {one['remedy']}")


def say_looked_at(sites: tuple[Site, ...], day: date, count: int) -> None:
    """What was asked, so that silence says something; and what no rule here can say."""
    from tallywatt.rating.law import holding

    say({0: "Nothing found.", 1: "1 finding."}.get(count, f"{count} findings."))
    known = holding(sites, day)
    if known:
        say(f"Rules asked for {day.isoformat()}:")
        for rule in known:
            say(
                f"  {rule.code}  {rule.source}{'' if rule.text_read else ' (its text was not read: findings are warnings)'}"
            )
    else:
        say("No rule on prices is known for these charging points; that is not to say that there is none.")


def _named_sites(at: Iterable[str]) -> tuple[Site, ...]:
    from tallywatt.rating.law import Site

    found = []
    for one in at:
        country, _, power = one.partition(":")
        if len(country) != 2 or not country.isalpha() or not (power == "" or power.isdecimal()):
            msg = f"{one!r} is no place for rules"
            raise BadInput(msg, code="tariffs.bad_site", remedy="write a country, and kW after a colon: DE:150")
        found.append(Site(country.upper(), int(power) * 1000 if power else None, one))
    return tuple(found)


def date_of(text: str) -> date:
    """A calendar day as it is typed."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no date"
        raise BadInput(msg, code="tariffs.bad_date", remedy="write it like 2026-12-31") from error


def stored_tariff(desk: Desk, name: str) -> Data:
    """The canonical data of a version, or of the newest version of a tariff."""
    row = desk.ask(desk.views.tariff, name) or desk.ask(desk.views.newest_tariff, name)
    if row is None:
        msg = f"there is neither a file nor a tariff {name!r}"
        raise NotFound(msg, code="tariffs.not_found", remedy="see tallywatt tariff list")
    found: dict[str, Any] = msgspec.json.decode(row["canonical"])
    return found


def _before(desk: Desk, data: Data) -> str | None:
    reference = data.get("id")
    row = desk.ask(desk.views.newest_tariff, reference) if isinstance(reference, str) else None
    return None if row is None else str(row["canonical"])
