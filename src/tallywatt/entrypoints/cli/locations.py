"""`tallywatt location`: where stations stand."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group

location = group("location", "Locations: where stations stand, and in which zone.")


@location.command(
    "add",
    **examples(
        "tallywatt location add square --name 'Market square' --city Dundee",
        "tallywatt location add depot --name Depot --zone Europe/Berlin --country DE",
    ),
)
def add(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Your own short name for it.")],
    name: Annotated[str, typer.Option("--name", help="As drivers and invoices see it.")],
    address: Annotated[str, typer.Option("--address", help="Street and number.")] = "",
    city: Annotated[str, typer.Option("--city", help="City.")] = "",
    postal_code: Annotated[str, typer.Option("--postal-code", help="Postal code.")] = "",
    country: Annotated[
        str | None, typer.Option("--country", help="ISO 3166-1 alpha-2; the operator's if left out.")
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="IANA zone; the operator's if left out.")] = None,
    latitude: Annotated[str | None, typer.Option("--latitude", help="Decimal degrees.")] = None,
    longitude: Annotated[str | None, typer.Option("--longitude", help="Decimal degrees.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a location. Tariffs and receipts of its stations follow its zone."""
    from tallywatt.workflows.add_location import AddLocation, add_location

    command = AddLocation(reference, name, address, city, postal_code, country, zone, latitude, longitude)
    with at_desk(operator) as desk:
        desk.do(add_location, command)
        told = next(one for one in desk.ask(desk.views.locations) if one["reference"] == reference)
    if as_json:
        say_json(told)
    else:
        say_fields([("location", f"{told['name']} ({told['reference']})"), ("id", told["id"]), ("zone", told["zone"])])


@location.command("list", **examples("tallywatt location list", "tallywatt location list --json"))
def list_locations(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the locations of an operator."""
    with at_desk(operator) as desk:
        rows: list[Data] = desk.ask(desk.views.locations)
    if as_json:
        say_json(rows)
        return
    columns = (Column("reference", "reference"), Column("name", "name", folds=True), Column("city", "city"))
    more = (Column("zone", "zone"), Column("stations", "stations", right=True))
    say_table((*columns, *more), rows, empty="No location yet. Add one: tallywatt location add")
