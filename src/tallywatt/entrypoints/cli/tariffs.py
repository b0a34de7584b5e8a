"""`tallywatt tariff`: what a charge costs, where, from when on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.reading import read_object
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.tariff_lint import LINT_EXAMPLES, found_in, lint, say_findings, sites_at
from tallywatt.entrypoints.cli.tariff_simulate import SIMULATE_EXAMPLES, simulate
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant

tariff = group("tariff", "Tariffs in OCPI's JSON, assigned to places and times.")


class ScopeName(StrEnum):
    """Where an assignment holds; the narrowest wins."""

    EVSE = "evse"
    STATION = "station"
    LOCATION = "location"
    OPERATOR = "operator"


tariff.command("lint", **LINT_EXAMPLES)(lint)
tariff.command("simulate", **SIMULATE_EXAMPLES)(simulate)


@tariff.command("put", **examples("tallywatt tariff put day-and-night.json", "tallywatt tariff put - < tariff.json"))
def put(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A tariff in OCPI's JSON; - reads standard input.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Put down a tariff. The same content again is the same version; another content is a new one."""
    from tallywatt.workflows.put_tariff import PutTariff, put_tariff

    command = PutTariff(read_object(file))
    with at_desk(operator) as desk:
        warnings = found_in(desk, command.data)
        answer = desk.do(put_tariff, command)
        row = desk.ask(desk.views.tariff, answer["version"]["tariff_version_id"])
    told = {**_told(row), "unread": list(answer["unread"]), "warnings": warnings}
    if as_json:
        say_json(told)
        return
    say_fields(
        [("tariff", f"{told['name']} ({told['reference']})"), ("version", told["id"]), ("currency", told["currency"])]
    )
    say_findings(warnings)
    say(f"Next: tallywatt tariff assign {told['reference']}")


@tariff.command(
    "assign",
    **examples(
        "tallywatt tariff assign day-and-night",
        "tallywatt tariff assign fast --scope station --target HPC-2",
        "tallywatt tariff assign winter --from 2026-12-01T00:00:00+01:00",
        "tallywatt tariff assign staff --for customer:C-1,C-2",
    ),
)
def assign(
    name: Annotated[
        str, typer.Argument(metavar="TARIFF", help="Its own id (then its newest version), or a version's.")
    ],
    scope: Annotated[ScopeName, typer.Option("--scope", help="Where it holds.")] = ScopeName.OPERATOR,
    target: Annotated[
        str, typer.Option("--target", help="Location reference, station id or EVSE id; none for all of the operator.")
    ] = "",
    valid_from: Annotated[str | None, typer.Option("--from", metavar="TIME", help="RFC 3339; now if left out.")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="RFC 3339; no end if left out.")
    ] = None,
    audience: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="AUDIENCE",
            help="For whom: customer:C-1,C-2, fleet:north, group:taxis, member:gold, payment:ad_hoc, speed:dc_fast, "
            "joined by &; everyone if left out.",
        ),
    ] = "everyone",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a tariff hold at a place from a time on. Sessions that began before keep their price."""
    from tallywatt.rating.records import Scope
    from tallywatt.workflows.put_tariff import AssignTariff, assign_tariff

    with at_desk(operator) as desk:
        command = AssignTariff(
            name,
            Scope(scope.value),
            target,
            None if valid_from is None else parse_instant(valid_from),
            None if valid_until is None else parse_instant(valid_until),
            audience,
            sites=sites_at(desk, scope.value, target) if desk.settings.law_gate == "block" else None,
        )
        row = desk.do(assign_tariff, command)
        told = next(one for one in desk.ask(desk.views.tariff_assignments) if one["id"] == row["assignment_id"])
        zone = desk.operator.zone
    if as_json:
        say_json(told)
        return
    where = "everywhere" if scope is ScopeName.OPERATOR else f"at {scope.value} {target}"
    whom = "" if told["audience"] == "everyone" else f" for {told['audience']}"
    say(f"Tariff {name} holds {where}{whom} from {clock_of(told['valid_from'], zone)} ({zone}).")


@tariff.command("list", **examples("tallywatt tariff list", "tallywatt tariff list --json"))
def list_tariffs(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the versions of all tariffs, and where each is assigned."""
    with at_desk(operator) as desk:
        assigned: dict[str, list[Data]] = {}
        for row in desk.ask(desk.views.tariff_assignments):
            assigned.setdefault(row["tariff_version_id"], []).append(row)
        versions = desk.ask(desk.views.tariffs)
        zone = desk.operator.zone
    told = [{**_told(row), "assignments": assigned.get(row["id"], [])} for row in versions]
    if as_json:
        say_json(told)
        return
    rows = [{**one, "version": one["id"][:12], "holds": _holds(one["assignments"], zone)} for one in told]
    columns = (Column("tariff", "reference"), Column("version", "version"), Column("currency", "currency"))
    empty = "No tariff yet. Put one down: tallywatt tariff put FILE"
    say_table((*columns, Column("holds", "holds", folds=True)), rows, empty=empty)


def _told(row: Data) -> Data:
    """A version with its content as an object in place of its canonical text."""
    return {**row, "canonical": msgspec.json.decode(row["canonical"])}


def _holds(assignments: list[Data], zone: str) -> str:
    def words(one: Data) -> str:
        where = "everywhere" if one["scope"] == "operator" else f"{one['scope']} {one['target']}"
        until = f" until {clock_of(one['valid_until'], zone)}" if one["valid_until"] else ""
        return f"{where} from {clock_of(one['valid_from'], zone)}{until}"

    return "; ".join(words(one) for one in assignments) or "nowhere"
