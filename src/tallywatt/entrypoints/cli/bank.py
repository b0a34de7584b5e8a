"""`tallywatt bank`: statements of the operator's bank: read, looked at, matched by hand."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.reading import read_bytes
from tallywatt.entrypoints.cli.show import Column, say, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.errors import BadInput, NotFound

bank = group("bank", "Statements of your bank, and what arrived there.")

AT_ONCE = 20
"""Lines in one command: others wait for the writer meanwhile."""


class LineStateName(StrEnum):
    """Whether it is known what a line is."""

    OPEN = "open"
    MATCHED = "matched"
    TRANSFER = "transfer"
    DEBIT = "debit"
    DISMISSED = "dismissed"


@bank.command(
    "read", **examples("tallywatt bank read statement.xml", "tallywatt bank read monday.xml tuesday.xml --json")
)
def read(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Statements: camt.053, as your bank gives them.")
    ],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Take in statements of your bank.

    Each line is kept once, however often its file is given. A payout of a provider is booked as arrived; a customer's
    transfer pays the invoice that it names.
    """
    from tallywatt.wiring import statement_of
    from tallywatt.workflows.take_statement import TakeStatement, take_statement

    # All are read before the first is taken: a broken one must not be half taken.
    contents = [(path, read_bytes(path)) for path in files]
    told = [(path, hashlib.sha256(content).hexdigest(), statement_of(content)) for path, content in contents]
    rows = []
    with at_desk(operator) as desk:
        for path, digest, lines in told:
            sums = {"new": 0, "known": 0, "matched": 0}
            for first in range(0, len(lines), AT_ONCE):
                taken = desk.do(take_statement, TakeStatement(lines[first : first + AT_ONCE], digest))
                sums = {name: count + taken[name] for name, count in sums.items()}
            rows.append({"file": path.name, "sha256": digest, "lines": len(lines), **sums})
    if as_json:
        say_json(rows)
        return
    for row in rows:
        known = f"{row['new']} new, {row['matched']} of them known for what they are"
        say(f"{row['file']}: {row['lines']} line{'' if row['lines'] == 1 else 's'}, {known}.")


@bank.command("list", **examples("tallywatt bank list", "tallywatt bank list --state matched --json"))
def list_lines(
    state: Annotated[LineStateName, typer.Option("--state", help="Only those.")] = LineStateName.OPEN,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List what came in and went out, the newest first."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.bank_lines, limit or (1000 if as_json else IN_A_TABLE), state.value)
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "day": one["booked_at"][:10],
            "sum": sum_of(one["amount_minor"], one["currency"]),
            "words": one["reference"] or one["remittance"] or one["end_to_end"] or "–",
        }
        for one in found
    ]
    columns = (
        Column("id", "id", folds=True),
        Column("day", "day"),
        Column("sum", "sum", right=True),
        Column("from or to", "counterparty", folds=True),
        Column("says", "words", folds=True),
        Column("returned", "return_code"),
        Column("fits", "candidates", right=True),
    )
    say_table(columns, rows, empty="Nothing is open." if state is LineStateName.OPEN else "No such line.")


@bank.command(
    "match",
    **examples(
        "tallywatt bank match $LINE --account europe --payout baltr_QM24QwzUWR",
        "tallywatt bank match $LINE --invoice INV-2026-000123",
        "tallywatt bank match $LINE --customer C-1 --balance",
        "tallywatt bank match $LINE --debit DD20261207-7K3M9QX2AB",
        "tallywatt bank match $LINE --nothing --note 'rent of the site'",
    ),
)
def match(
    line: Annotated[str, typer.Argument(metavar="LINE", help="Its id.")],
    payout: Annotated[
        str | None, typer.Option("--payout", metavar="REF", help="The payout that it is, by its settlement line.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help="The provider account.")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="REFERENCE", help="Whose transfer it is, or takes back.")
    ] = None,
    invoice: Annotated[
        str | None, typer.Option("--invoice", metavar="NUMBER", help="The invoice that it is for first.")
    ] = None,
    to_balance: Annotated[bool, typer.Option("--balance", help="It is for the prepaid balance.")] = False,
    debit: Annotated[
        str | None, typer.Option("--debit", metavar="NAME", help="The file of direct debits, or the one of them.")
    ] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="It is none of this house's business.")] = False,
    note: Annotated[str, typer.Option("--note", help="Why, for whoever asks later.")] = "",
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what a line is. What is decided is recorded with who decided it.

    A customer's line that came in pays what they owe; one that went out undoes their latest transfer of that sum.
    """
    from tallywatt.payments.own_books import TransferFor
    from tallywatt.workflows.take_statement import DecideBankLine, decide_bank_line

    of_customer = customer is not None or invoice is not None
    if [payout is not None, of_customer, debit is not None, nothing].count(True) != 1 or (payout is None) is not (
        account is None
    ):
        msg = "say which payout of which account it is, whose transfer, or that it is nothing"
        remedy = "give --account and --payout, or --customer or --invoice, or --debit, or --nothing"
        raise BadInput(msg, code="bank.which_payout", remedy=remedy)
    with at_desk(operator) as desk:
        chosen = None
        if account is not None:
            found = [one for one in desk.ask(desk.views.provider_accounts) if one["name"] == account]
            if not found:
                msg = f"there is no provider account {account!r}"
                raise NotFound(msg, code="payment.no_account", remedy="see: tallywatt provider-account list")
            chosen = found[0]["id"]
        target = TransferFor.BALANCE if to_balance else TransferFor.ITEMS
        desk.do(decide_bank_line, DecideBankLine(line, chosen, payout, note, customer, invoice, target, debit))
        told = desk.ask(desk.views.bank_line, line)
    if as_json:
        say_json(told)
    else:
        what = "transfer" if told["transfer_id"] else "debits" if told["batch_id"] else "payout"
        is_what = told["transfer_id"] or told["batch_id"] or told["settlement_ref"] or "–"
        fields = [("line", told["id"]), ("state", told["state"]), (what, is_what)]
        say_fields(fields + ([("under way", told["under_way"])] if told["under_way"] else []))


@bank.command("undo", **examples("tallywatt bank undo $LINE --reason 'of another customer'"))
def undo(
    line: Annotated[str, typer.Argument(metavar="LINE", help="Its id.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it was decided wrongly.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Take back what was decided about a line: it is open again.

    The opposite is booked: what a transfer has paid is owed again, a payout is on its way again, direct debits are asked
    for again. Behind a line with many payers the server does so some at a time, and the line is open when all are.
    """
    from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line

    with at_desk(operator) as desk:
        desk.do(undo_bank_line, UndoBankLine(line, reason))
        told = desk.ask(desk.views.bank_line, line)
    if as_json:
        say_json(told)
    else:
        fields = [("line", told["id"]), ("state", told["state"]), ("undone because", told["undo_note"])]
        say_fields(fields + ([("under way", told["under_way"])] if told["under_way"] else []))
