"""The operator's bank: statements are taken in, their lines listed, matched and decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from tallywatt.entrypoints.http.api.debits import XML
from tallywatt.entrypoints.http.debiting import MOST_BYTES, statement_read
from tallywatt.entrypoints.http.doors import Collector, Reader, TheHouse
from tallywatt.entrypoints.http.manners import Cursor, Limit, Resource, listed
from tallywatt.entrypoints.http.once import write_long, write_once
from tallywatt.entrypoints.http.shapes import BankDecision, BankUndo
from tallywatt.entrypoints.http.telling import as_json, found, told
from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.payments.bank import BankLineState
from tallywatt.workflows.take_statement import DecideBankLine, decide_bank_line
from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line

if TYPE_CHECKING:
    from tallywatt.customers.access import Caller
    from tallywatt.wiring import House

router = APIRouter(tags=["bank"], route_class=Resource)


@router.post("/bank-statements", max_body_size=MOST_BYTES, openapi_extra=XML)
async def post_statement(request: Request, caller: Collector, house: TheHouse) -> Response:
    """A statement of your bank (camt.053). Each line is kept once, in whichever file it comes; what is clear is matched."""
    content = await request.body()
    return await write_long(request, house, caller, lambda: statement_read(house, caller, content))


@router.get("/bank-lines")
async def list_lines(
    request: Request,
    caller: Reader,
    house: TheHouse,
    state: BankLineState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What came in and went out, the newest first."""
    return await listed(request, house, caller, "bank_lines", limit, cursor, state=state)


@router.get("/bank-lines/{line_id}")
async def show_line(line_id: str, caller: Reader, house: TheHouse) -> Response:
    """One line."""
    return as_json(await _line(house, caller, line_id))


@router.post("/bank-lines/{line_id}/decide")
async def post_decision(
    request: Request, line_id: str, body: BankDecision, caller: Collector, house: TheHouse
) -> Response:
    """Say what a line is: the payout of an account, a customer's transfer, direct debits, or nothing of the house's."""
    await _line(house, caller, line_id)
    of_customer = body.customer is not None or body.invoice is not None
    said = [body.payout is not None, of_customer, body.debit is not None, body.nothing]
    if said.count(True) != 1 or (body.payout is None) is not (body.account is None):
        msg = "say which payout of which account it is, whose transfer, which debits, or that it is nothing"
        raise BadInput(
            msg, code="bank.which_payout", remedy="send one of: payout with account, customer, debit, nothing"
        )
    account = None if body.account is None else await _account(house, caller, body.account)
    command = DecideBankLine(
        line_id, account, body.payout, body.note, body.customer, body.invoice, body.target, body.debit
    )
    return await write_once(request, house, caller, decide_bank_line, command, tell_line)


@router.post("/bank-lines/{line_id}/undo")
async def post_undo(request: Request, line_id: str, body: BankUndo, caller: Collector, house: TheHouse) -> Response:
    """Take back what was decided about a line: the opposite is booked, what it had paid is open again, and so is the line.

    Behind a line with many payers that is done some at a time: it tells `under_way` until it is open.
    """
    await _line(house, caller, line_id)
    return await write_once(request, house, caller, undo_bank_line, UndoBankLine(line_id, body.reason), tell_line)


async def _line(house: House, caller: Caller, line_id: str) -> dict[str, Any]:
    return found(await house.ask(house.views.bank_line, caller.operator_id, line_id), "line", "bank.not_found")


async def _account(house: House, caller: Caller, name: str) -> str:
    accounts = await house.ask(house.views.provider_accounts, caller.operator_id)
    known = next((one for one in accounts if name in (one["id"], one["name"])), None)
    if known is None:
        msg = f"there is no provider account {name!r}"
        raise NotFound(msg, code="payment.no_account")
    return str(known["id"])


def tell_line(row: Any) -> dict[str, Any]:
    """A line as it was written."""
    inside = ("batch_ref", "mandate_ref", "debit_groups", "carried_to")
    return {name: value for name, value in told(row, "line_id").items() if name not in inside}
