"""`tallywatt station order, send, commands, command, messages, configuration`: what stations are told, and what they tell."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.reading import read_object
from tallywatt.entrypoints.cli.show import Column, Data, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.stations import IdentityArgument, station
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.stations.command import OPEN_STATES, Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.workflows.command_station import CommandStation

WaitOption = Annotated[
    int, typer.Option("--wait", metavar="SECONDS", min=0, max=86_400, help="Wait so long for what comes of it.")
]
EvseOption = Annotated[str | None, typer.Option("--evse", metavar="CODE", help="Which EVSE; else the whole station.")]
LOOK_SECONDS = 0.25

__all__ = ["station"]


@station.command(
    "order",
    **examples(
        "tallywatt station order CP-17 reset --how hard --wait 60",
        "tallywatt station order CP-17 start --tag 04B1C2D3 --evse 'GB*TWA*ECP17*1'",
        "tallywatt station order CP-17 availability --how inoperative",
    ),
)
def order(
    identity: IdentityArgument,
    action: Annotated[Action, typer.Argument(help="What it is to do.")],
    evse: EvseOption = None,
    tag: Annotated[str | None, typer.Option("--tag", help="The token to start with.")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="ID", help="The session to stop.")] = None,
    how: Annotated[str, typer.Option("--how", help="soft, hard, operative, inoperative.")] = "",
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Order a start, a stop, a reset, an unlocking, a pause."""
    from tallywatt.kernel.identity import EvseId, SessionId
    from tallywatt.workflows.command_station import CommandStation

    if action is Action.MESSAGE:
        msg = "a message has a command of its own"
        raise BadInput(msg, code="stations.use_send", remedy="tallywatt station send ID MESSAGE")
    payload: dict[str, Any] = {"type": how or "soft", "operative": how != "inoperative"} | ({"tag": tag} if tag else {})
    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        place = _evse(row, evse)
        command = CommandStation(
            row["id"],
            action,
            payload,
            EvseId(place["id"]) if place else None,
            SessionId(session) if session else None,
        )
        give(desk, command, wait, as_json=as_json)


@station.command(
    "send",
    **examples(
        "tallywatt station send CP-17 GetConfiguration --wait 30",
        "tallywatt station send CP-17 ChangeConfiguration \\",
        """    '{"key": "MeterValueSampleInterval", "value": "60"}'""",
        "tallywatt station send CP-18 GetBaseReport \\",
        """    '{"reportBase": "FullInventory"}' --wait 60 --json""",
        "tallywatt station send CP-18 SetChargingProfile profile.json",
    ),
)
def send(
    identity: IdentityArgument,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Its name in OCPP.")],
    content: Annotated[
        str, typer.Argument(metavar="CONTENT", help="Its fields: JSON, a file with JSON, or - for standard input.")
    ] = "{}",
    seconds: Annotated[
        int | None, typer.Option("--deadline", metavar="SECONDS", min=1, help="How long it may take to its end.")
    ] = None,
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Send any OCPP message; `station messages` lists them."""
    from tallywatt.wiring import check_message
    from tallywatt.workflows.command_station import CommandStation

    told = _content(content)
    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        check_message(row["protocol"], message, told)
        payload = {"name": message, "content": told}
        give(desk, CommandStation(row["id"], Action.MESSAGE, payload, deadline_seconds=seconds), wait, as_json=as_json)


@station.command("commands", **examples("tallywatt station commands CP-17", "tallywatt station commands CP-17 --json"))
def commands(identity: IdentityArgument, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List the last commands to a station."""
    with at_desk(operator) as desk:
        found = station_named(desk, identity)["commands"]
    if as_json:
        say_json(found)
        return
    rows = [{**one, "what": one["name"] or one["action"]} for one in found]
    columns = (
        Column("asked", "requested_at"),
        Column("what", "what"),
        Column("state", "state"),
        Column("reason", "reason", folds=True),
        Column("command", "id", folds=True),
    )
    say_table(columns, rows, empty="No commands were given.")


@station.command("command", **examples("tallywatt station command 0198f… --json"))
def command(
    command_id: Annotated[str, typer.Argument(metavar="COMMAND", help="Its id.")],
    wait: WaitOption = 0,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a command: its state, its answer, what followed."""
    with at_desk(operator) as desk:
        _say_command(desk, command_id, wait, as_json=as_json)


@station.command(
    "messages",
    **examples(
        "tallywatt station messages --protocol ocpp1.6",
        "tallywatt station messages SetChargingProfile --protocol ocpp2.0.1",
    ),
)
def messages(
    name: Annotated[str | None, typer.Argument(metavar="MESSAGE", help="One of them, with its schema.")] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="ocpp1.6, ocpp2.0.1, ocpp2.1.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the messages that can be sent, or show one."""
    from tallywatt.stations.messages import MESSAGES, PROTOCOLS

    if protocol is not None and protocol not in PROTOCOLS:
        msg = f"{protocol!r} is not spoken here"
        raise BadInput(msg, code="stations.unknown_protocol", remedy=f"use one of: {', '.join(PROTOCOLS)}")
    if name is not None:
        _say_schema(name, protocol)
        return
    rows = [
        {"name": one.name, "purpose": one.purpose.value, "protocols": list(one.protocols), "action": one.by_action}
        for one in MESSAGES.values()
        if protocol is None or protocol in one.protocols
    ]
    if as_json:
        say_json(rows)
        return
    columns = (Column("message", "name"), Column("about", "purpose"), Column("versions", "protocols", folds=True))
    say_table(columns, rows, empty="There is none.")


@station.command(
    "configuration",
    **examples(
        "tallywatt station configuration CP-17 --read --wait 60",
        "tallywatt station configuration CP-17 --set MeterValueSampleInterval=60",
        "tallywatt station configuration CP-18 \\",
        "    --set SampledDataCtrlr.TxUpdatedInterval=60",
    ),
)
def configuration(
    identity: IdentityArgument,
    read: Annotated[bool, typer.Option("--read", help="Ask the station for all of it first.")] = False,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="PLACE=VALUE", help="Write a value; several times.")
    ] = None,
    wait: WaitOption = 30,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show, ask for or change how a station is configured."""
    from tallywatt.stations.configuration import reading, writing

    with at_desk(operator) as desk:
        row = station_named(desk, identity)
        if read or values:
            wanted = writing(version_of(row), _settings(values)) if values else [reading(version_of(row), ())]
            for name, content in wanted:
                _configure(desk, row, name, content, wait)
        found = desk.ask(desk.views.variables_of, row["id"])
    if as_json:
        say_json(found)
        return
    rows = [{**one, "place": _place(one), "writable": one["is_writable"]} for one in found]
    columns = (Column("place", "place"), Column("value", "value", folds=True), Column("writable", "writable"))
    say_table(columns, rows, empty=f"Nothing is known yet: tallywatt station configuration {identity} --read")


def station_named(desk: Desk, identity: str) -> Data:
    """The station of that identity; NotFound for none."""
    row: Data | None = desk.ask(desk.views.station, identity)
    if row is None:
        msg = f"there is no station {identity!r}"
        raise NotFound(msg, code="stations.not_found")
    return row


def _evse(row: Data, code: str | None) -> Data | None:
    if code is None:
        return None
    found: Data | None = next((one for one in row["evses"] if one["code"] == code), None)
    if found is None:
        msg = f"station {row['identity']} has no EVSE {code}"
        raise BadInput(msg, code="stations.no_such_evse")
    return found


def _content(text: str) -> Data:
    if text == "-" or not text.lstrip().startswith("{"):
        return read_object(Path(text))
    try:
        found: Data = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        msg = f"the content is not a JSON object: {error}"
        raise BadInput(msg, code="stations.bad_content", remedy="""like '{"key": ["HeartbeatInterval"]}'""") from error
    return found


def give(desk: Desk, command: CommandStation, wait: int, *, as_json: bool) -> Data:
    """Give an order, and say what comes of it within so many seconds."""
    from tallywatt.workflows.order_station import order_station

    made = desk.do(order_station, command)
    return _say_command(desk, made["command_id"], wait, as_json=as_json)


def _say_command(desk: Desk, command_id: str, wait: int, *, as_json: bool) -> Data:
    row = _awaited(desk, command_id, wait)
    told: Data = {**row, "reports": desk.ask(desk.views.reports_of, command_id)}
    if as_json:
        say_json(told)
        return told
    answer = told["answer"]
    say_fields(
        [
            ("command", told["id"]),
            ("station", told["station"]),
            ("what", told["name"] or told["action"]),
            ("state", told["state"]),
            ("reason", told["reason"]),
            ("asked", told["requested_at"]),
            ("deadline", told["deadline_at"]),
            ("ended", told["ended_at"]),
        ]
    )
    if answer:
        say(json.dumps(answer, indent=2, ensure_ascii=False))
    for part in told["reports"]:
        say(f"{part['received_at']}  {part['message']}  {part['status'] or part['number']}")
    return told


def _awaited(desk: Desk, command_id: str, wait: int) -> Data:
    until = time.monotonic() + wait
    while True:
        row: Data | None = desk.ask(desk.views.command, command_id)
        if row is None:
            msg = "there is no such command"
            raise NotFound(msg, code="commands.not_found")
        if row["state"] not in {one.value for one in OPEN_STATES} or time.monotonic() >= until:
            return row
        time.sleep(LOOK_SECONDS)


def _say_schema(name: str, protocol: str | None) -> None:
    from tallywatt.wiring import message_schema
    from tallywatt.workflows.prepare_message import message_named

    message = message_named(name, protocol)
    for one in message.protocols:
        if protocol is None or one == protocol:
            say_json({"protocol": one, "message": name, "schema": message_schema(one, name)})


def version_of(row: Data) -> str:
    """In which version of OCPP it speaks; BadInput while that is not known."""
    if row["protocol"] is None:
        msg = f"station {row['identity']} has not connected yet, so its version is not known"
        raise BadInput(msg, code="stations.never_connected", remedy="connect it first")
    return str(row["protocol"])


def _settings(values: Sequence[str]) -> list[tuple[Any, str]]:
    from tallywatt.stations.configuration import Place

    found = []
    for one in values:
        named, equals, value = one.partition("=")
        component, _, variable = named.rpartition(".")
        if not equals or not variable:
            msg = f"{one!r} sets nothing"
            raise BadInput(msg, code="stations.bad_content", remedy="write Key=value, or Component.Variable=value")
        found.append((Place(variable, component), value))
    return found


def _configure(desk: Desk, row: Data, name: str, content: Data, wait: int) -> None:
    from tallywatt.wiring import check_message
    from tallywatt.workflows.command_station import CommandStation
    from tallywatt.workflows.order_station import order_station

    check_message(row["protocol"], name, content)
    made = desk.do(order_station, CommandStation(row["id"], Action.MESSAGE, {"name": name, "content": content}))
    ended = _awaited(desk, made["command_id"], wait)
    if ended["state"] != "completed":
        say(f"{name}: {ended['state']}{': ' + ended['reason'] if ended['reason'] else ''}  ({ended['id']})")


def _place(one: Data) -> str:
    name = f"{one['component']}.{one['name']}" if one["component"] else one["name"]
    where = f"[{one['evse']}{'/' + str(one['connector']) if one['connector'] else ''}]" if one["evse"] else ""
    extra = "".join(f"({text})" for text in (one["component_instance"], one["instance"]) if text)
    return f"{name}{where}{extra}" + ("" if one["attribute"] == "Actual" else f":{one['attribute']}")
