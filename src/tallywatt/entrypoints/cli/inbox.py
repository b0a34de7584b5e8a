"""`tallywatt inbox`: what only a person can decide."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.show import Column, clock_of, say, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import (
    IN_A_TABLE,
    JsonFlag,
    LimitOption,
    OperatorOption,
    examples,
    group,
    minor_units,
)
from tallywatt.kernel.identity import SessionId

inbox = group("inbox", "The inbox: what only a person can decide.")


class StateName(StrEnum):
    """Whether somebody has looked."""

    OPEN = "open"
    RESOLVED = "resolved"


class DecisionName(StrEnum):
    """What a person decides."""

    DISMISS = "dismiss"
    RELEASE = "release"
    WRITE_OFF = "write_off"
    RETRY = "retry"
    ACCEPT = "accept"
    MATCH = "match"


@inbox.command("list", **examples("tallywatt inbox list", "tallywatt inbox list --state open --json"))
def list_items(
    state: Annotated[StateName | None, typer.Option("--state", help="Only those.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only of this kind.")] = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List what waits for a person, the newest first."""
    with at_desk(operator) as desk:
        most = limit or (None if as_json else IN_A_TABLE)
        found = desk.pages(desk.views.inbox, most, state=None if state is None else state.value, kind=kind)
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    if not found:
        say("Nothing waits for a person.")
        return
    for one in found:
        resolved = "" if one["resolution"] is None else f"  → {one['resolution']}"
        say(f"{one['id']}  {clock_of(one['created_at'], zone)}  {one['kind']}  {one['state']}{resolved}")
        say(f"    {one['summary']}")


@inbox.command(
    "resolve",
    **examples(
        "tallywatt inbox resolve $ITEM --decision dismiss",
        "tallywatt inbox resolve $ITEM --decision release --note 'driver agreed'",
        "tallywatt inbox resolve $ITEM --decision release --customer C-1042",
    ),
)
def resolve(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The item's id.")],
    decision: Annotated[
        DecisionName,
        typer.Option(
            "--decision",
            help="dismiss it; release the held session to be billed as measured; accept what is proposed; write it off; "
            "match the stop with its session; retry the payment.",
        ),
    ],
    note: Annotated[str, typer.Option("--note", help="Why, for whoever asks later.")] = "",
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="REFERENCE", help="Who owes, when nobody was known.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="SESSION", help="Which session a stop that waits belongs to.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Decide about an item. What is decided is recorded with who decided it."""
    from tallywatt.workflows.resolve_inbox import Decision, ResolveItem, resolve_item

    with at_desk(operator) as desk:
        session_id = None if session is None else SessionId(session)
        desk.do(resolve_item, ResolveItem(item, Decision(decision.value), note, customer, session_id))
        told = desk.ask(desk.views.inbox_item, item)
    if as_json:
        say_json(told)
    else:
        say_fields([("item", told["summary"]), ("state", told["state"]), ("resolution", told["resolution"])])


@inbox.command(
    "work-off",
    **examples(
        "tallywatt inbox work-off missing_energy --decision accept \\",
        "    --up-to 500 --note 'agreed for November'",
        "tallywatt inbox work-off unknown_transaction",
    ),
)
def work_off(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Of which kind the items are.")],
    decision: Annotated[
        DecisionName | None, typer.Option("--decision", help="What is decided; as the rules say if left out.")
    ] = None,
    most_minor: Annotated[
        int,
        typer.Option(
            "--up-to", metavar="MINOR", parser=minor_units, help="The most money to decide on, in the smallest unit."
        ),
    ] = 0,
    note: Annotated[str, typer.Option("--note", help="Why, for whoever asks later.")] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Put all open items of a kind in line to be decided on.

    Each within a sum: what is beyond it stays with a person.
    """
    from tallywatt.workflows.resolve_inbox import Decision
    from tallywatt.workflows.work_off import WorkOffAll, work_off_all

    with at_desk(operator) as desk:
        chosen = None if decision is None else Decision(decision.value)
        count = desk.do(work_off_all, WorkOffAll(kind, chosen, most_minor, note))
    if as_json:
        say_json({"count": count})
    else:
        say(f"{count} items are in line.")


JOB_COLUMNS = (
    Column("job", "id"),
    Column("kind", "kind"),
    Column("attempts", "attempts", right=True),
    Column("last error", "last_error", folds=True),
)
job = group("job", "Jobs: what is to be done outside, and what failed.")


@job.command("list", **examples("tallywatt job list", "tallywatt job list --state ready --json"))
def list_jobs(
    state: Annotated[str, typer.Option("--state", help="failed, ready, leased or done.")] = "failed",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List jobs in a state; those that failed for good if none is named."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.jobs, state)
    if as_json:
        say_json(found)
    else:
        say_table(JOB_COLUMNS, found, empty=f"No job is {state}.")


@job.command("retry", **examples("tallywatt job retry 019359a1-7c00-7d11-8a55-0d2b6f0c9e41"))
def retry(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a job run again that has failed for good."""
    from tallywatt.workflows.retry_job import RetryJob, retry_job

    with at_desk(operator) as desk:
        row = desk.do(retry_job, RetryJob(job_id))
    told = {key: row[key] for key in ("kind", "subject_id", "state", "attempts")} | {"id": row["job_id"]}
    if as_json:
        say_json(told)
    else:
        say_fields([("job", told["id"]), ("kind", told["kind"]), ("state", told["state"])])
