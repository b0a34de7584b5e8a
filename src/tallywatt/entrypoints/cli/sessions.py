"""`tallywatt session`: what was charged, what it cost, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.show import (
    Column,
    Data,
    clock_of,
    kwh_of,
    say,
    say_fields,
    say_json,
    say_table,
    sum_of,
)
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import NotFound

session = group("session", "Sessions: from plug-in to invoice, with their reasons.")

ENDING = 12
"""So many last characters of an id tell sessions apart: they are drawn, the first ones are the time."""
LOOKED_AT = 5000


class StateName(StrEnum):
    """Where a session stands on its way to money."""

    ACTIVE = "active"
    ENDED = "ended"
    HELD = "held"
    BILLED = "billed"
    EXPLAINED = "explained"


@session.command(
    "list",
    **examples(
        "tallywatt session list",
        "tallywatt session list --state held",
        "tallywatt session list --station CP-17 --since 2026-11-01T00:00:00Z --json",
    ),
)
def list_sessions(
    state: Annotated[StateName | None, typer.Option("--state", help="Only those.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="ocpp, api or csv.")] = None,
    station: Annotated[str | None, typer.Option("--station", metavar="ID", help="Only of this station.")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="REFERENCE", help="Only of this customer.")
    ] = None,
    token: Annotated[str | None, typer.Option("--token", metavar="UID", help="Only with this token.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only with energy explained by it.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Started then or later; RFC 3339.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Started before then; RFC 3339.")] = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List sessions, the newest first."""
    filters: dict[str, Any] = {
        "state": None if state is None else state.value,
        "source": source,
        "station": station,
        "customer": customer,
        "token": token,
        "reason": reason,
        "since": None if since is None else parse_instant(since),
        "until": None if until is None else parse_instant(until),
    }
    with at_desk(operator) as desk:
        found = desk.pages(desk.views.sessions, limit or (None if as_json else IN_A_TABLE), **filters)
    if as_json:
        say_json(found)
        return
    columns = (
        Column("id ends in", "ending"),
        Column("started", "started"),
        Column("EVSE", "place", folds=True),
        Column("energy", "energy", right=True),
        Column("total", "total", right=True),
        Column("state", "state"),
    )
    say_table(columns, [_row(one) for one in found], empty="No such session.")
    if limit is None and len(found) == IN_A_TABLE:
        say(f"\nThese are the newest {IN_A_TABLE}; for more: --limit N.")


def _row(one: Data) -> Data:
    return {
        "ending": one["id"][-ENDING:],
        "started": clock_of(one["started_at"], one["zone"]),
        "place": one["evse"] or one["station"],
        "energy": kwh_of(one["energy_wh"]),
        "total": sum_of(one["total_minor"], one["currency"]),
        "state": one["state"],
    }


@session.command(
    "show",
    **examples(
        "tallywatt session show 019359a1-7c00-7d11-8a55-0d2b6f0c9e41",
        "tallywatt session show 0d2b6f0c9e41",
        "tallywatt session show INV-2026-000042 --json",
    ),
)
def show(
    name: Annotated[str, typer.Argument(metavar="SESSION", help="Its id, the end of its id, or its invoice's number.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show one session, down to what it was made of.

    That is: readings, price, payments, books, and the frames that the station sent.
    """
    with at_desk(operator) as desk:
        found = find(desk, name)
    if as_json:
        say_json(found)
    else:
        _say(found)


def find(desk: Desk, name: str) -> Data:
    """The session that is meant, or NotFound."""
    found: Data | None = desk.ask(desk.views.session, name)
    if found is None:
        invoice = desk.ask(desk.views.invoice, name)
        if invoice is not None:
            found = desk.ask(desk.views.session, invoice["session_id"])
    if found is None and len(name) >= 6:
        endings = [one["id"] for one in desk.pages(desk.views.sessions, LOOKED_AT) if one["id"].endswith(name.lower())]
        if len(endings) == 1:
            found = desk.ask(desk.views.session, endings[0])
    if found is None:
        msg = f"there is no session {name!r}"
        raise NotFound(
            msg, code="sessions.not_found", remedy="list them with their whole ids: tallywatt session list --json"
        )
    return found


def _say(one: Data) -> None:
    zone = one["zone"]
    say_fields(
        [
            ("session", one["id"]),
            ("state", one["state"]),
            ("source", f"{one['source']}, evidence: {one['evidence']}"),
            ("EVSE", one["evse"] or one["station"]),
            ("location", one["location"]),
            ("transaction", one["transaction_id"]),
            ("payer", one["customer"] or one["payer"]),
            ("token", one["token"]),
            ("started", f"{clock_of(one['started_at'], zone)} ({zone})"),
            ("energy ended", clock_of(one["energy_ended_at"], zone)),
            ("transaction ended", clock_of(one["transaction_ended_at"], zone)),
            ("vehicle left", clock_of(one["occupancy_ended_at"], zone)),
            ("energy", kwh_of(one["energy_wh"])),
            ("meter", _meter(one)),
            ("flags", one["flags"]),
            ("invoice", one["invoice"]),
        ]
    )
    _say_price(one)
    _say_money(one)
    _say_attention(one)


def _meter(one: Data) -> str | None:
    if one["meter_start_wh"] is None:
        return None
    return f"{kwh_of(one['meter_start_wh'])} to {kwh_of(one['meter_stop_wh'])}"


def _say_price(one: Data) -> None:
    rated = one["rated"]
    if rated is None:
        return
    say("\nPrice")
    lines = [
        {
            "title": line["title"],
            "sentence": line["sentence"],
            "amount": sum_of(line["gross_minor"], rated["currency"]),
        }
        for line in rated["lines"]
    ]
    total = {"title": "Total", "sentence": "with tax", "amount": sum_of(rated["gross_minor"], rated["currency"])}
    columns = (Column("", "title"), Column("why", "sentence", folds=True), Column("amount", "amount", right=True))
    say_table(columns, [*lines, total], empty="No price line.")
    for doubt in rated["doubts"]:
        say(f"Note: {doubt}")


def _say_money(one: Data) -> None:
    if not one["payments"]:
        return
    say("\nPayments")
    rows = [
        {
            "state": payment["state"],
            "kind": payment["kind"],
            "card": _card(payment),
            "captured": sum_of(payment["captured_minor"], payment["currency"]),
            "reason": payment["reason"],
        }
        for payment in one["payments"]
    ]
    columns = (Column("state", "state"), Column("kind", "kind"), Column("card", "card"))
    more = (Column("captured", "captured", right=True), Column("reason", "reason", folds=True))
    say_table((*columns, *more), rows, empty="None.")


def _say_attention(one: Data) -> None:
    if one["explanations"]:
        say("\nEnergy that is not on a bill")
        for explanation in one["explanations"]:
            say(f"  {kwh_of(explanation['energy_wh'])}  {explanation['reason']}")
    waiting = [item for item in one["inbox"] if item["state"] == "open"]
    if waiting:
        say("\nWaits for a person")
        for item in waiting:
            say(f"  {item['summary']}")
            say(f"  decide: tallywatt inbox resolve {item['id']} --decision release|write_off")


def _card(payment: Data) -> str | None:
    return f"{payment['card_brand']} ···· {payment['card_last4']}" if payment["card_last4"] else None
