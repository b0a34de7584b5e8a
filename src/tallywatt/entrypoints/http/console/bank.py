"""Lines of the bank on the console: a statement is given, what is clear is matched, what is not is decided by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from tallywatt.entrypoints.http.console.shown import PAGE, done, given_fields, shown
from tallywatt.entrypoints.http.debiting import MOST_BYTES, statement_read
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse, actor_of
from tallywatt.entrypoints.http.problems import status_of
from tallywatt.entrypoints.pages.bank_lines import with_suggestions
from tallywatt.kernel.errors import BadInput, TallywattError
from tallywatt.payments.bank import BankLineState
from tallywatt.payments.own_books import TransferFor
from tallywatt.workflows.take_statement import DecideBankLine, decide_bank_line
from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter()
AT = "/console/bank"
FORM_BYTES = 65_536


async def file_in(request: Request) -> bytes:
    """The file of a form; BadInput when none was chosen."""
    chosen = (await request.form()).get("file")
    content = await chosen.read() if isinstance(chosen, UploadFile) else b""
    if not content:
        msg = "no file was chosen"
        raise BadInput(msg, code="imports.no_file", remedy="choose a file, then send it")
    return content


@router.get(AT)
async def list_lines(
    request: Request, caller: Reader, house: TheHouse, state: BankLineState = BankLineState.OPEN
) -> Response:
    """Lines in a state, and a form for the next statement."""
    return await _list(request, house, caller, state)


@router.post(AT, max_body_size=MOST_BYTES + FORM_BYTES)
async def read(request: Request, caller: Collector, house: TheHouse) -> Response:
    """Take a statement."""
    try:
        await statement_read(house, caller, await file_in(request))
    except TallywattError as problem:
        return await _list(request, house, caller, BankLineState.OPEN, problem)
    return done(AT, "statement")


@router.post(AT + "/{line_id}")
async def decide(request: Request, line_id: str, caller: Collector, house: TheHouse) -> Response:
    """Say what a line is: a payout, a customer's transfer, direct debits, or nothing of the house's."""
    given = {name: value.strip()[:200] for name, value in (await given_fields(request)).items()}
    kind = given.get("kind", "")
    command = DecideBankLine(
        line_id,
        account_id=given.get("account") if kind == "payout" else None,
        settlement_ref=given.get("payout") if kind == "payout" else None,
        note=given.get("note", ""),
        customer=(given.get("customer") or None) if kind == "transfer" else None,
        invoice=(given.get("invoice") or None) if kind == "transfer" else None,
        target=TransferFor.BALANCE if given.get("target") == TransferFor.BALANCE else TransferFor.ITEMS,
        debit=(given.get("debit") or None) if kind == "debit" else None,
    )
    try:
        if kind not in ("payout", "transfer", "debit", "nothing") or (
            kind != "nothing" and not (command.settlement_ref or command.customer or command.invoice or command.debit)
        ):
            msg = "say what this line is"
            raise BadInput(msg, code="bank.which_payout", remedy="name a customer, an invoice or a file of debits")
        await house.write(caller.operator_id, decide_bank_line, command, actor=actor_of(caller))
    except TallywattError as problem:
        return await _list(request, house, caller, BankLineState.OPEN, problem)
    return done(AT, "resolved")


@router.post(AT + "/{line_id}/undo")
async def undo(request: Request, line_id: str, caller: Collector, house: TheHouse) -> Response:
    """Take back what was decided about a line."""
    command = UndoBankLine(line_id, (await given_fields(request)).get("reason", ""))
    try:
        await house.write(caller.operator_id, undo_bank_line, command, actor=actor_of(caller))
    except TallywattError as problem:
        row = await house.ask(house.views.bank_line, caller.operator_id, line_id)
        state = BankLineState.OPEN if row is None else BankLineState(row["state"])
        return await _list(request, house, caller, state, problem)
    return done(AT, "undone", f"#{line_id}")


async def _list(
    request: Request, house: House, caller: Caller, state: BankLineState, problem: TallywattError | None = None
) -> Response:
    views, operator = house.views, caller.operator_id
    rows = await house.ask(views.bank_lines, operator, PAGE, state.value)
    if state is BankLineState.OPEN and rows:
        items = await house.ask(views.open_items, operator)
        batches = await house.ask(views.debit_batches, operator)
        accounts = await house.ask(views.settled_accounts, operator)
        rows = with_suggestions(rows, items, batches, accounts)
    return await shown(
        request, house, caller, "bank.html", "bank", status_of(problem) if problem else 200,
        rows=rows, state=state.value, states=[one.value for one in BankLineState], problem=problem,
    )  # fmt: skip
