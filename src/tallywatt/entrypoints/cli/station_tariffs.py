"""`tallywatt station tariffs, counted, offline`: what stations count by, what they counted, what they may do offline."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.limits import station
from tallywatt.entrypoints.cli.show import Column, clock_of, say, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.kernel.identity import LocationId, StationId
from tallywatt.stations.offline import MOST_WH, Starts

__all__ = ["station"]


@station.command(
    "tariffs",
    **examples(
        "tallywatt station tariffs",
        "tallywatt station tariffs CP-17",
        "tallywatt station tariffs CP-17 --tell",
        "tallywatt station tariffs CP-17 --clear",
    ),
)
def tariffs(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    tell: Annotated[bool, typer.Option("--tell", help="Tell it again, also what it refused.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Let it count by none, until told again.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what stations of OCPP 2.1 count by, and if not, why."""
    from tallywatt.workflows.keep_tariff import KeepTariffs, ask_tariffs, clear_tariffs

    if (tell or clear) and identity is None:
        msg = "it is not said which station is to be told"
        raise BadInput(msg, code="stations.not_named", remedy="name one station")
    if tell and clear:
        msg = "a station is told its tariffs, or they are cleared"
        raise BadInput(msg, code="stations.told_and_cleared", remedy="say one of --tell and --clear")
    with at_desk(operator) as desk:
        row = None if identity is None else _station(desk, identity)
        if row is not None and (tell or clear):
            desk.do(clear_tariffs if clear else ask_tariffs, KeepTariffs(StationId(row["id"])))
        of = desk.views.tariffs_of_station
        rows = desk.ask(desk.views.station_tariffs) if row is None else desk.ask(of, str(row["id"]))
        zone = desk.operator.zone
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("station", "station"),
        Column("evse", "evse_number", right=True),
        Column("stands", "stands"),
        Column("tariff", "tariff"),
        Column("verified", "verified"),
        Column("why", "reason", folds=True),
    )
    shown = [
        one
        | {
            "stands": "cleared" if one["is_cleared"] and one["state"] == "none" else one["state"],
            "verified": clock_of(one["verified_at"], zone),
        }
        for one in rows
    ]
    say_table(columns, shown, empty="No station was told what to count by.")


def _page(connection: Any, operator_id: str, page: Any, most: int) -> Any:
    return page(connection, "counted", operator_id, most, None)


@station.command("counted", **examples("tallywatt station counted", "tallywatt station counted --limit 1000 --json"))
def counted(
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="So many.")] = 100,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List sessions whose station counted another cost than ours."""
    with at_desk(operator) as desk:
        rows = desk.ask(_page, desk.views.page, limit)["items"]
        zone = desk.operator.zone
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("id", "session_id"),
        Column("station", "station"),
        Column("started", "started"),
        Column("counted", "counted", right=True),
        Column("charged", "charged", right=True),
        Column("differs by", "by", right=True),
        Column("why not", "failure"),
    )
    say_table(columns, [_counted(one, zone) for one in rows], empty="Every station counted what is charged.")


def _counted(row: dict[str, Any], zone: str) -> dict[str, Any]:
    with_tax = row["after_taxes"] is not None
    theirs = row["after_taxes"] if with_tax else row["before_taxes"]
    ours = row["gross_minor"] if with_tax else row["net_minor"]
    currency = row["charged_currency"]
    return row | {
        "started": clock_of(row["started_at"], zone),
        "counted": "–" if theirs is None else f"{theirs} {row['currency'] or currency}",
        "charged": sum_of(ours, currency),
        "by": sum_of(row["difference_minor"], currency),
    }


@station.command(
    "offline",
    **examples(
        "tallywatt station offline --all --starts known",
        "tallywatt station offline --location depot --starts anybody",
        "tallywatt station offline CP-17 --starts anybody --refused-wh 5000",
        "tallywatt station offline CP-18",
        "tallywatt station offline CP-17 --remove",
    ),
)
def offline(
    identity: Annotated[str | None, typer.Argument(metavar="ID", help="One station.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="Wherever nothing else is said.")] = False,
    location: Annotated[str | None, typer.Option("--location", metavar="SITE", help="All stations of a site.")] = None,
    starts: Annotated[Starts | None, typer.Option("--starts", help="Who may start offline.")] = None,
    refused: Annotated[
        int | None, typer.Option("--refused-wh", min=0, max=MOST_WH, help="Energy for a card refused later.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it back: the next wider rule holds.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what stations may do offline; see the risk."""
    from tallywatt.workflows.set_offline import RemoveOffline, SetOffline, remove_offline, set_offline

    if sum((identity is not None, everywhere, location is not None)) != 1:
        msg = "it is not said for which stations"
        raise BadInput(msg, code="stations.not_named", remedy="name one station, a site, or say --all")
    says = starts is not None or refused is not None
    if remove and says:
        msg = "a rule is set, or it is removed"
        raise BadInput(msg, code="stations.set_and_removed", remedy="say --remove alone")
    with at_desk(operator) as desk:
        row = None if identity is None else _station(desk, identity)
        site = None if location is None else _location(desk, location)
        of = None if row is None else StationId(row["id"])
        at = None if site is None else LocationId(site["id"])
        if remove:
            desk.do(remove_offline, RemoveOffline(of, at))
        elif says:
            desk.do(set_offline, SetOffline(of, starts, refused, at))
        told = _told(desk, identity, location)
    if as_json:
        say_json({"station": identity, "location": location} | told)
        return
    for one in told["words"]:
        say(one)
    if not told["is_set"]:
        say("It is not written to stations by us: allow that with `tallywatt station set-right`.")


def _told(desk: Desk, identity: str | None, location: str | None) -> dict[str, Any]:
    now = desk.business_now()
    if identity is not None:
        found: dict[str, Any] | None = desk.ask(desk.views.offline_of, identity, now)
        if found is None:
            msg = f"station {identity} is not adopted: it is let in by nobody"
            raise NotFound(msg, code="stations.not_adopted", remedy="adopt it first: tallywatt station adopt")
        return found
    rules: dict[str, Any] = desk.ask(desk.views.offline_rules, now)
    if location is None:
        return dict(rules["everywhere"])
    own = [one for one in rules["sites"] if one["location"] == location]
    return dict(own[0] if own else rules["everywhere"])


def _station(desk: Desk, identity: str) -> dict[str, Any]:
    row: dict[str, Any] | None = desk.ask(desk.views.station, identity)
    if row is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    return row


def _location(desk: Desk, reference: str) -> dict[str, Any]:
    found = [one for one in desk.ask(desk.views.locations) if one["reference"] == reference]
    if not found:
        msg = f"there is no location {reference!r}"
        raise NotFound(msg, code="locations.not_found")
    return dict(found[0])
