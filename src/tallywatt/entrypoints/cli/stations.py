"""`tallywatt station`: add them, list them, adopt those that knock."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.show import Column, Data, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.workflows.add_station import NewEvse

station = group("station", "Stations, their keys, their EVSEs, and the quarantine.")


class CurrentName(StrEnum):
    """What flows."""

    AC = "ac"
    DC = "dc"


class StateName(StrEnum):
    """Whether a station belongs to us."""

    QUARANTINED = "quarantined"
    ADOPTED = "adopted"
    RETIRED = "retired"


IdentityArgument = Annotated[str, typer.Argument(metavar="ID", help="The id with which the station connects.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Its Basic auth key, text or hex; set the same at the station.")
]
EvsesOption = Annotated[int, typer.Option("--evses", metavar="N", min=1, max=64, help="How many EVSEs it has.")]
PowerOption = Annotated[str | None, typer.Option("--max-kw", metavar="KW", help="The most that one EVSE delivers.")]
CurrentOption = Annotated[CurrentName, typer.Option("--current", help="What flows.")]
LocationOption = Annotated[str | None, typer.Option("--location", metavar="REFERENCE", help="Where it stands.")]


@station.command(
    "add",
    **examples(
        "tallywatt station add CP-17 --key 4f1c0a52e8d94b07 --max-kw 22",
        "tallywatt station add CP-18 --key $KEY --location square --evses 2",
        "tallywatt station add HPC-2 --key $KEY --evses 2 --max-kw 150 --current dc",
    ),
)
def add(
    identity: IdentityArgument,
    key: KeyOption = None,
    evses: EvsesOption = 1,
    max_kw: PowerOption = None,
    current: CurrentOption = CurrentName.AC,
    location: LocationOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a station that is to connect. One that waits in quarantine under this id is adopted."""
    from tallywatt.workflows.add_station import AddStation, add_station

    with at_desk(operator) as desk:
        command = AddStation(identity, location, desk.key_hash(key), new_evses(evses, max_kw, current))
        desk.do(add_station, command)
        _say_one(desk, identity, as_json=as_json)


@station.command(
    "adopt",
    **examples(
        "tallywatt station list --state quarantined",
        "tallywatt station adopt CP-99 --location square --max-kw 11",
    ),
)
def adopt(
    identity: IdentityArgument,
    key: KeyOption = None,
    evses: EvsesOption = 1,
    max_kw: PowerOption = None,
    current: CurrentOption = CurrentName.AC,
    location: LocationOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Take a station out of quarantine. Without --key, the key that it showed first stays valid."""
    from tallywatt.workflows.add_station import AdoptStation, adopt_station

    with at_desk(operator) as desk:
        command = AdoptStation(identity, location, desk.key_hash(key), new_evses(evses, max_kw, current))
        desk.do(adopt_station, command)
        _say_one(desk, identity, as_json=as_json)


@station.command("list", **examples("tallywatt station list", "tallywatt station list --state quarantined --json"))
def list_stations(
    state: Annotated[StateName | None, typer.Option("--state", help="Only those.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List stations with their EVSEs."""
    with at_desk(operator) as desk:
        wanted = None if state is None else state.value
        told = [_told(desk, row) for row in desk.behind(desk.views.stations, "identity", state=wanted)]
    if as_json:
        say_json(told)
        return
    rows = [{**one, "evses": len(one["evses"]), "kw": _power(one["evses"])} for one in told]
    columns = (
        Column("id", "identity"),
        Column("state", "state"),
        Column("location", "location", folds=True),
        Column("protocol", "protocol"),
        Column("evses", "evses", right=True),
        Column("kW", "kw", right=True),
    )
    say_table(columns, rows, empty="No such station. Add one: tallywatt station add ID --key KEY")


def new_evses(count: int, max_kw: str | None, current: CurrentName) -> tuple[NewEvse, ...]:
    """So many EVSEs, all alike."""
    from tallywatt.stations.station import Current
    from tallywatt.workflows.add_station import NewEvse

    watts = watts_of(max_kw)
    return tuple(NewEvse(number, Current(current.value), watts) for number in range(1, count + 1))


def watts_of(max_kw: str | None) -> int | None:
    """Whole watts of a power in kW."""
    if max_kw is None:
        return None
    try:
        watts = Decimal(max_kw).scaleb(3)
        if watts.is_finite() and 0 < watts <= 10_000_000:
            return int(watts)
    except ArithmeticError:
        pass  # Decimal could not read it; the answer is the same as for a power that no station has
    msg = f"{max_kw!r} is not a power in kW"
    raise BadInput(msg, code="stations.bad_power", remedy="write it like 22 or 7.4")


def _say_one(desk: Desk, identity: str, *, as_json: bool) -> None:
    told = _told(desk, desk.ask(desk.views.station, identity))
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("station", told["identity"]),
            ("state", told["state"]),
            ("location", told["location"]),
            ("EVSEs", [evse["code"] for evse in told["evses"]]),
            ("connects to", told["url"]),
        ]
    )
    if not told["has_key"]:
        say("It has no key, so it cannot connect yet. Retire it, or add it under another id with --key.")


def _told(desk: Desk, row: Data) -> Data:
    """A station as the lists have it, with the address where it connects."""
    return {key: value for key, value in row.items() if key != "commands"} | {"url": desk.station_url(row["identity"])}


def _power(evses: list[dict[str, Any]]) -> str | None:
    powers = {evse["max_watts"] for evse in evses if evse["max_watts"] is not None}
    return None if not powers else f"{Decimal(max(powers)).scaleb(-3).normalize():f}"


@station.command(
    "web-code",
    **examples(
        "tallywatt station web-code 'GB*TWA*E1'",
        "tallywatt station web-code 'GB*TWA*E1' --valid-seconds 30 --length 8",
    ),
)
def web_code(
    evse_code: Annotated[str, typer.Argument(metavar="EVSE", help="The code of the EVSE.")],
    valid_seconds: Annotated[int, typer.Option("--valid-seconds", metavar="N", help="How long one is shown.")] = 60,
    length: Annotated[int, typer.Option("--length", metavar="N", help="How many characters it has.")] = 12,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let an EVSE show codes that change with time.

    For stations of OCPP 2.1 with a display. The secret is sent to the station, as soon as it is connected; run again, it gets
    another one. From then on nothing is paid on the page of this EVSE without the code on its display.
    """
    from tallywatt.entrypoints.cli.desk import settings
    from tallywatt.workflows.show_web_code import SetWebCode, set_web_code

    with at_desk(operator) as desk:
        url = f"{settings().base_url}/evse/{evse_code}"
        told = desk.do(set_web_code, SetWebCode(evse_code, url, valid_seconds, length))
    shown = {"evse": evse_code, "url_template": told["url_template"], "valid_seconds": valid_seconds}
    if as_json:
        say_json(shown)
        return
    say_fields([("EVSE", evse_code), ("address", told["url_template"]), ("valid", f"{valid_seconds} s")])
    say("\nThe station is told its secret as soon as it is connected. See: tallywatt station list")
