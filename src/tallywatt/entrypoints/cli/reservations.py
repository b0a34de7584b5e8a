"""`tallywatt reservation`: EVSEs that are kept for a driver."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.identity import EvseId, StationId
from tallywatt.stations.reservation import ReservationState

reservation = typer.Typer(name="reservation", no_args_is_help=True, help="Keep an EVSE for a driver.")

COLUMNS = (
    Column("id", "id"),
    Column("station", "station"),
    Column("EVSE", "evse"),
    Column("for", "customer"),
    Column("stands", "state"),
    Column("until", "until"),
    Column("reason", "reason"),
)


def _say(rows: list[Data], zone: str, empty: str = "") -> None:
    """With the end of each as a clock shows it where the operator is, like other lists."""
    say_table(COLUMNS, [one | {"until": clock_of(one["expires_at"], zone)} for one in rows], empty=empty)


def _page(connection: Any, operator_id: str, page: Any, most: int, filters: dict[str, str | None]) -> Any:
    return page(connection, "reservations", operator_id, most, None, **filters)


@reservation.command(
    "list",
    **examples(
        "tallywatt reservation list",
        "tallywatt reservation list --station CP-17",
        "tallywatt reservation list --state active",
    ),
)
def list_reservations(
    station: Annotated[str | None, typer.Option(help="Of this station.")] = None,
    customer: Annotated[str | None, typer.Option(help="Of this customer.")] = None,
    state: Annotated[ReservationState | None, typer.Option(help="In this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="So many.")] = 100,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List reservations, the newest first."""
    filters = {"station": station, "customer": customer, "state": None if state is None else state.value}
    with at_desk(operator) as desk:
        rows = desk.ask(_page, desk.views.page, limit, filters)["items"]
        zone = desk.operator.zone
    if as_json:
        say_json(rows)
        return
    _say(rows, zone, "No reservation yet.")


@reservation.command("create", **examples("tallywatt reservation create CP-17 --evse 1 --customer C-1 --minutes 30"))
def create(
    identity: Annotated[str, typer.Argument(metavar="STATION", help="Its identity.")],
    evse: Annotated[int | None, typer.Option(help="Number of the EVSE; any without.")] = None,
    customer: Annotated[str | None, typer.Option(help="For this customer's newest token.")] = None,
    token: Annotated[str | None, typer.Option(help="For this token.")] = None,
    minutes: Annotated[int, typer.Option(help="For how long.")] = 30,
    connector_type: Annotated[str | None, typer.Option(help="Any EVSE with it (OCPP 2.x).")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask a station to keep an EVSE. Only its answer makes it so."""
    from tallywatt.workflows.reserve import Reserve, reserve

    with at_desk(operator) as desk:
        row = desk.ask(desk.views.station, identity)
        if row is None:
            msg = f"there is no station {identity!r}"
            raise NotFound(msg, code="stations.not_found")
        place = next((one["id"] for one in row["evses"] if one["number"] == evse), None)
        if evse is not None and place is None:
            msg = f"station {identity} has no EVSE {evse}"
            raise NotFound(msg, code="evses.not_found")
        chosen = EvseId(place) if place is not None else None
        command = Reserve(StationId(row["id"]), minutes, chosen, connector_type, token, customer)
        kept = desk.do(reserve, command)
        found = desk.ask(desk.views.reservation, str(kept["reservation_id"]))
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    _say([found], zone)


@reservation.command("cancel", **examples("tallywatt reservation cancel 01a1fd31-..."))
def cancel(
    reservation_id: Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask the station to keep it no longer."""
    from tallywatt.workflows.reserve import CancelReservation, cancel_reservation

    with at_desk(operator) as desk:
        desk.do(cancel_reservation, CancelReservation(reservation_id))
        found = desk.ask(desk.views.reservation, reservation_id)
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    _say([found], zone)
