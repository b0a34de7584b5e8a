"""`tallywatt webhook`: where systems of others listen, what was delivered to them, and sending it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.show import Column, rfc3339_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.show import Data

webhook = group("webhook", "Webhooks: other systems hear what happens.")

EndpointArgument = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="Its id, or its address; may be left out while there is only one.")
]
TypesOption = Annotated[
    list[str] | None,
    typer.Option("--type", help="session.billed, session.*, …; several times; everything if left out."),
]


@webhook.command(
    "add",
    **examples(
        "tallywatt webhook add https://hooks.example.org/tallywatt",
        "tallywatt webhook add https://erp.example.org/in --type 'session.*' --json",
    ),
)
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https; http for hosts in TALLYWATT_WEBHOOK_ALLOW.")],
    types: TypesOption = None,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an endpoint and show its secret, once."""
    from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint

    with at_desk(operator) as desk:
        command = AddWebhookEndpoint(url, tuple(types or ("*",)), description, desk.settings.webhook_allow)
        made = desk.do(add_webhook_endpoint, command)
    _show_secret(made, as_json)


@webhook.command("list", **examples("tallywatt webhook list", "tallywatt webhook list --json"))
def list_endpoints(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List endpoints, with what waits for them."""
    with at_desk(operator) as desk:
        found = _endpoints(desk)
    if as_json:
        say_json(found)
        return
    columns = (Column("address", "url"), Column("state", "state"), Column("waiting", "waiting", right=True))
    more = (Column("failing since", "failing_since"), Column("hears", "event_types", folds=True))
    say_table((*columns, *more), found, empty="Nobody listens. Add an endpoint: tallywatt webhook add URL")


@webhook.command(
    "rotate", **examples("tallywatt webhook rotate", "tallywatt webhook rotate ENDPOINT --old-holds-hours 0 --json")
)
def rotate(
    endpoint: EndpointArgument = "",
    hours: Annotated[
        int, typer.Option("--old-holds-hours", min=0, max=720, help="How long the old secret still signs too.")
    ] = 24,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give an endpoint a new secret and show it, once."""
    from tallywatt.workflows.rotate_webhook_secret import RotateWebhookSecret, rotate_webhook_secret

    with at_desk(operator) as desk:
        row = _named(desk, endpoint)
        made = desk.do(rotate_webhook_secret, RotateWebhookSecret(row["id"], hours * 3600))
    _show_secret(made, as_json)


@webhook.command("test", **examples("tallywatt webhook test", "tallywatt webhook log --limit 1"))
def send_test(endpoint: EndpointArgument = "", operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Send a test event; `tallywatt webhook log` shows what came of it."""
    from tallywatt.workflows.replay_webhook import TryWebhook, try_webhook

    with at_desk(operator) as desk:
        _answer(desk, _named(desk, endpoint), try_webhook, TryWebhook, as_json)


@webhook.command("enable", **examples("tallywatt webhook enable", "tallywatt webhook enable ENDPOINT --skip-missed"))
def enable(
    endpoint: EndpointArgument = "",
    skip_missed: Annotated[
        bool, typer.Option("--skip-missed", help="Leave out what happened while it was disabled.")
    ] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Send to an endpoint again."""
    from tallywatt.workflows.change_webhook_endpoint import EnableWebhookEndpoint, enable_webhook_endpoint

    with at_desk(operator) as desk:
        row = _named(desk, endpoint)
        _answer(desk, row, enable_webhook_endpoint, lambda one: EnableWebhookEndpoint(one, not skip_missed), as_json)


@webhook.command("disable", **examples("tallywatt webhook disable"))
def disable(endpoint: EndpointArgument = "", operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Send nothing for the time being; nothing is forgotten."""
    from tallywatt.workflows.change_webhook_endpoint import DisableWebhookEndpoint, disable_webhook_endpoint

    with at_desk(operator) as desk:
        _answer(desk, _named(desk, endpoint), disable_webhook_endpoint, DisableWebhookEndpoint, as_json)


@webhook.command("remove", **examples("tallywatt webhook remove https://hooks.example.org/tallywatt"))
def remove(endpoint: EndpointArgument, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """End an endpoint for good; its log stays."""
    from tallywatt.workflows.change_webhook_endpoint import RemoveWebhookEndpoint, remove_webhook_endpoint

    with at_desk(operator) as desk:
        row = _named(desk, endpoint)
        desk.do(remove_webhook_endpoint, RemoveWebhookEndpoint(row["id"]))
    told = {"id": row["id"], "url": row["url"], "state": "removed"}
    if as_json:
        say_json(told)
        return
    say(f"{row['url']} was removed.")


@webhook.command(
    "replay",
    **examples(
        "tallywatt webhook replay --delivery 0198f…", "tallywatt webhook replay --since 2026-03-02T00:00:00Z --json"
    ),
)
def replay(
    endpoint: EndpointArgument = "",
    delivery: Annotated[str | None, typer.Option("--delivery", metavar="ID", help="This one alone.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Everything from then on, RFC 3339.")
    ] = None,
    after: Annotated[int | None, typer.Option("--after", min=0, help="Everything behind a position.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Send again: the same ids, the same bytes."""
    from tallywatt.workflows.replay_webhook import ReplayDelivery, ReplaySince, replay_delivery, replay_since

    if sum(one is not None for one in (delivery, since, after)) != 1:
        msg = "say what is to be sent again"
        raise BadInput(msg, code="webhooks.replay_from_where", remedy="give one of --delivery, --since, --after")
    with at_desk(operator) as desk:
        row = _named(desk, endpoint)
        told: Data = {"endpoint": row["id"], "delivery": delivery, "after": None, "until": None}
        if delivery is not None:
            desk.do(replay_delivery, ReplayDelivery(row["id"], delivery))
        else:
            moment = None if since is None else parse_instant(since)
            done = desk.do(replay_since, ReplaySince(row["id"], after, moment))
            told |= {"after": done["after"], "until": done["until"]}
    if as_json:
        say_json(told)
        return
    say(
        f"It is sent again to {row['url']}."
        if delivery
        else f"Everything behind position {told['after']} is sent again."
    )


@webhook.command("log", **examples("tallywatt webhook log", "tallywatt webhook log --state given_up --json"))
def log(
    endpoint: EndpointArgument = "",
    state: Annotated[
        str | None, typer.Option("--state", help="blocked, ready, sending, delivered, given_up; all if left out.")
    ] = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List deliveries, newest event first."""
    from tallywatt.partners.delivery import DeliveryState

    if state is not None and state not in set(DeliveryState):
        msg = f"{state!r} is no state of a delivery"
        raise BadInput(msg, code="webhooks.unknown_state", remedy=f"use one of: {', '.join(DeliveryState)}")
    with at_desk(operator) as desk:
        row = _named(desk, endpoint)
        most = limit if limit is not None or as_json else IN_A_TABLE
        found = _log(desk, row["id"], state, most)
    if as_json:
        say_json(found)
        return
    columns = (Column("event", "type"), Column("version", "aggregate_version", right=True), Column("state", "state"))
    more = (
        Column("tries", "attempts", right=True),
        Column("answer", "last_status"),
        Column("delivery", "id", folds=True),
    )
    say_table((*columns, *more), found, empty="Nothing was to be told yet.")


def _log(desk: Desk, endpoint_id: str, state: str | None, most: int | None) -> list[Data]:
    rows: list[Data] = []
    cursor: str | None = None
    while most is None or len(rows) < most:
        left = 500 if most is None else min(500, most - len(rows))
        page = desk.ask(desk.views.webhook_deliveries, endpoint_id, left, cursor, state=state)
        rows += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return rows


def _endpoints(desk: Desk) -> list[Data]:
    from tallywatt.wiring import machine_now

    found: list[Data] = desk.ask(desk.views.webhook_endpoints, machine_now())
    return found


def _named(desk: Desk, text: str) -> Data:
    """The endpoint of that id or address, or the only one."""
    rows = _endpoints(desk)
    chosen = [row for row in rows if text in {"", row["id"], row["url"]}]
    if len(chosen) == 1:
        return chosen[0]
    if not rows:
        msg = "there is no webhook endpoint yet"
        raise NotFound(msg, code="webhook_endpoints.none", remedy="add one: tallywatt webhook add URL")
    if chosen:
        msg = "several endpoints could be meant"
        raise BadInput(msg, code="webhook_endpoints.which", remedy="name one by its id: tallywatt webhook list")
    msg = f"there is no webhook endpoint {text!r}"
    raise NotFound(msg, code="webhook_endpoints.not_found", remedy="see: tallywatt webhook list")


def _show_secret(made: Data, as_json: bool) -> None:
    told = {**_told(made["endpoint"]), "secret": made["secret"]}
    if as_json:
        say_json(told)
        return
    say_fields([(name, told[name]) for name in ("id", "url", "event_types", "secret")])
    say("Keep the secret now: it cannot be shown again. The receiver verifies messages with it.")


def _answer(desk: Desk, row: Data, workflow: Any, command_of: Any, as_json: bool) -> None:
    told = _told(desk.do(workflow, command_of(row["id"])))
    if as_json:
        say_json(told)
        return
    say_fields([("endpoint", told["id"]), ("address", told["url"]), ("state", told["state"])])


def _told(row: Data) -> Data:
    return {
        "id": row["endpoint_id"],
        "url": row["url"],
        "description": row["description"],
        "event_types": list(row["event_types"]),
        "state": row["state"],
        "created_at": rfc3339_of(row["created_at"]),
    }
