"""`tallywatt dispute`: what payers' banks have taken back, and answers to them where a provider takes answers from us."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import at_desk, settings
from tallywatt.entrypoints.cli.reading import read_bytes
from tallywatt.entrypoints.cli.show import Column, clock_of, say, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.desk import Desk
    from tallywatt.entrypoints.cli.show import Data

dispute = group("dispute", "Disputes of payers' banks, and answers to them.")

WhichArgument = Annotated[str, typer.Argument(metavar="DISPUTE", help="Its id.")]


@dispute.command("list", **examples("tallywatt dispute list", "tallywatt dispute list --due"))
def list_disputes(
    due: Annotated[bool, typer.Option("--due", help="Those to be answered, the soonest first.")] = False,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List disputes, the newest first."""
    with at_desk(operator) as desk:
        most = limit or (None if as_json else IN_A_TABLE)
        found = desk.ask(desk.views.disputes_due, most or 200) if due else desk.pages(desk.views.disputes, most)
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "sum": sum_of(one["amount_minor"], one["currency"]),
            "answer_by": clock_of(one["due_at"], zone) if one["due_at"] else "–",
        }
        for one in found
    ]
    columns = (
        Column("id", "id", folds=True),
        Column("account", "account"),
        Column("state", "state"),
        Column("sum", "sum", right=True),
        Column("reason", "reason", folds=True),
        Column("answer by", "answer_by"),
    )
    say_table(columns, rows, empty="No bank has taken anything back.")


@dispute.command("reasons", **examples("tallywatt dispute reasons $DISPUTE"))
def list_reasons(which: WhichArgument, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Ask the provider on what grounds it can be answered."""
    with at_desk(operator) as desk:
        found, provider = _at_provider(desk, which)
        told = [
            {"code": one.code, "needed": list(one.needed), "possible": list(one.possible)}
            for one in provider.defence_reasons(found["dispute_ref"])
        ]
    if as_json:
        say_json(told)
        return
    for one in told:
        say(f"{one['code']}: needs {', '.join(one['needed']) or 'no document'}")
        if one["possible"]:
            say(f"    may have {', '.join(one['possible'])}")
    if not told:
        say("It cannot be answered any more, or not here.")


@dispute.command(
    "defend",
    **examples("tallywatt dispute defend $DISPUTE --reason ProofOfSale \\", "    --document DefenseMaterial=proof.pdf"),
)
def defend(
    which: WhichArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="CODE", help="One of: tallywatt dispute reasons.")],
    documents: Annotated[
        list[str] | None, typer.Option("--document", metavar="KIND=FILE", help="PDF or JPEG, at most 2 MB.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a dispute at its provider.

    The receipt and the proof of a session are on the console, under Disputes.
    """
    from tallywatt.workflows.note_defence import NoteDefence, note_defence

    handed = tuple(_document(one) for one in documents or ())
    with at_desk(operator) as desk:
        found, provider = _at_provider(desk, which)
        provider.defend(found["dispute_ref"], reason, handed)
        desk.do(note_defence, NoteDefence(found["id"], reason, tuple(one.kind for one in handed)))
        told = desk.ask(desk.views.dispute, found["id"])
    _say(told, as_json=as_json)


@dispute.command("accept", **examples('tallywatt dispute accept $DISPUTE --reason "the cable was stiff"'))
def accept(
    which: WhichArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why it is let go.")] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a dispute go: it is not answered.

    It counts like a refund of its sum against the limit of the owner; beyond it, it waits for another person.
    """
    from tallywatt.customers.approval import Holder
    from tallywatt.workflows.accept_dispute import AskAccept, ask_accept

    with at_desk(operator) as desk:
        came = desk.do(ask_accept, AskAccept(which, reason, Holder.OWNER))
        told = desk.ask(desk.views.dispute, which)
    _say(told, as_json=as_json)
    if not as_json:
        waits = "approval_id" in came
        say("Beyond the limit: it waits for another person." if waits else "It is let go; the provider is being told.")


def _say(told: Data, *, as_json: bool) -> None:
    if as_json:
        say_json(told)
    else:
        say_fields([("dispute", told["id"]), ("state", told["state"]), ("reason", told["reason"])])


def _at_provider(desk: Desk, which: str) -> tuple[Data, Any]:
    """The dispute, and the provider that takes answers to it."""
    from tallywatt.payments.dispute import DefendsDisputes
    from tallywatt.wiring import provider_of

    found = desk.ask(desk.views.dispute, which)
    if found is None:
        msg = f"there is no dispute {which!r}"
        raise NotFound(msg, code="dispute.not_found", remedy="see: tallywatt dispute list")
    if found["answer"] is not None:
        msg = "it has been answered"
        raise Conflict(msg, code="dispute.not_open", remedy="look at the dispute again")
    account = next(one for one in desk.ask(desk.views.provider_accounts) if one["id"] == found["account_id"])
    provider = provider_of(account, settings())
    if not isinstance(provider, DefendsDisputes):
        msg = f"{account['provider']} takes answers on its own pages alone"
        raise BadInput(
            msg, code="dispute.answered_elsewhere", remedy="download the proof under Disputes, and answer there"
        )
    return found, provider


def _document(told: str) -> Any:
    from tallywatt.payments.dispute import DefenceDocument

    kind, is_pair, path = told.partition("=")
    if not is_pair or not path:
        msg = f"{told!r} does not say what the document is"
        raise BadInput(msg, code="dispute.which_document", remedy="give it as --document KIND=FILE")
    return DefenceDocument(kind, mimetypes.guess_type(path)[0] or "", read_bytes(Path(path)))
