"""`tallywatt balance`, `tallywatt credit`: customers' prepaid balances, buying on invoice, and transfers by bank."""

from __future__ import annotations

from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group
from tallywatt.kernel.errors import NotFound
from tallywatt.kernel.money import money

balance = group("balance", "Prepaid balances of customers.")
credit = group("credit", "Buying on invoice: terms, open items, transfers.")
Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's reference.")]
CurrencyOption = Annotated[str | None, typer.Option("--currency", help="ISO 4217; the operator's if left out.")]


@balance.command("open", **examples("tallywatt balance open C-1", "tallywatt balance open C-1 --currency EUR"))
def open_(
    customer: Customer, currency: CurrencyOption = None, operator: OperatorOption = None, as_json: JsonFlag = False
) -> None:
    """Let a customer pay from a prepaid balance. It is empty at first."""
    from tallywatt.workflows.keep_own_account import OpenBalance, open_balance

    with at_desk(operator) as desk:
        desk.do(open_balance, OpenBalance(customer, currency or desk.operator.currency))
        told = _account(desk, customer)
    _say(told, customer, "", as_json=as_json)


@balance.command("show", **examples("tallywatt balance show C-1", "tallywatt balance show C-1 --json"))
def show(customer: Customer, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Show a customer's balance, terms, open items and movements."""
    with at_desk(operator) as desk:
        told, zone = _account(desk, customer), desk.operator.zone
    _say(told, customer, zone, as_json=as_json)


@balance.command(
    "pay-out",
    **examples("tallywatt balance pay-out C-1", "tallywatt balance pay-out C-1 --by-bank 'transfer of 22 November'"),
)
def pay_out(
    customer: Customer,
    by_bank: Annotated[
        str | None,
        typer.Option("--by-bank", metavar="REFERENCE", help="You have sent by bank what no card takes back."),
    ] = None,
    currency: CurrencyOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Give back what is left.

    It goes to the cards that it came from, the latest first; the rest by bank.
    """
    from tallywatt.workflows.pay_out_balance import PayOutBalance, pay_out_balance

    with at_desk(operator) as desk:
        code = currency or desk.operator.currency
        told = desk.do(pay_out_balance, PayOutBalance(customer, code, by_bank))
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("to cards", sum_of(told["to_cards_minor"], code)),
            ("by bank", sum_of(told["by_bank_minor"], code)),
            ("left", sum_of(told["left_minor"], code)),
        ]
    )


@credit.command("allow", **examples("tallywatt credit allow C-1 --limit 500.00 --days 14"))
def allow(
    customer: Customer,
    limit: Annotated[str, typer.Option("--limit", help="How much may be open and held at a time.")],
    days: Annotated[int, typer.Option("--days", min=0, max=365, help="Within how many days a bill is paid.")] = 14,
    currency: CurrencyOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a customer buy on invoice, or change the terms."""
    from tallywatt.workflows.keep_own_account import AllowInvoice, allow_invoice

    with at_desk(operator) as desk:
        code = currency or desk.operator.currency
        desk.do(allow_invoice, AllowInvoice(customer, money(limit, code), days))
        told = _account(desk, customer)
    _say(told, customer, "", as_json=as_json)


@credit.command("end", **examples("tallywatt credit end C-1"))
def end(
    customer: Customer, currency: CurrencyOption = None, operator: OperatorOption = None, as_json: JsonFlag = False
) -> None:
    """Let nothing more begin on invoice. What is open stays open."""
    from tallywatt.workflows.keep_own_account import EndInvoice, end_invoice

    with at_desk(operator) as desk:
        desk.do(end_invoice, EndInvoice(customer, currency or desk.operator.currency))
        told = _account(desk, customer)
    _say(told, customer, "", as_json=as_json)


@credit.command("items", **examples("tallywatt credit items", "tallywatt credit items --overdue --json"))
def items(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what was due before today.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List what was bought on invoice and is not paid."""
    with at_desk(operator) as desk:
        today = None
        if overdue:
            from tallywatt.kernel.clock import local_date

            today = local_date(desk.business_now(), desk.operator.zone).isoformat()
        rows = desk.ask(desk.views.open_items, today)
    if as_json:
        say_json(rows)
        return
    _table(rows, empty="Nothing is open.")


@credit.command(
    "receive",
    **examples(
        "tallywatt credit receive line-17 --amount 120.00 --invoice INV-2026-000123",
        "tallywatt credit receive line-18 --amount 50.00 --customer C-1 --balance",
    ),
)
def receive(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Your name for the transfer; told twice it is the same.")],
    amount: Annotated[str, typer.Option("--amount", help="How much came.")],
    customer: Annotated[str | None, typer.Option("--customer", metavar="REFERENCE", help="From whom.")] = None,
    invoice: Annotated[str | None, typer.Option("--invoice", metavar="NUMBER", help="For which invoice first.")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="The bank's date; today if left out.")] = None,
    reference: Annotated[str, typer.Option("--reference", help="What the payer has written.")] = "",
    to_balance: Annotated[bool, typer.Option("--balance", help="It is for the prepaid balance.")] = False,
    currency: CurrencyOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Write down a transfer that came by bank."""
    from tallywatt.kernel.clock import local_date
    from tallywatt.payments.own_books import TransferFor
    from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer

    with at_desk(operator) as desk:
        day = on or local_date(desk.business_now(), desk.operator.zone).isoformat()
        target = TransferFor.BALANCE if to_balance else TransferFor.ITEMS
        total = money(amount, currency or desk.operator.currency)
        told = desk.do(receive_transfer, ReceiveTransfer(key, total, day, customer, invoice, reference, target))
    if as_json:
        say_json(told)
        return
    used = told["amount_minor"] - told["left_minor"]
    say(f"Received {sum_of(told['amount_minor'], told['currency'])}; {sum_of(used, told['currency'])} is used.")


def _account(desk: Desk, reference: str) -> Data:
    found = desk.ask(desk.views.customer, reference)
    if found is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found")
    told: Data = desk.ask(desk.views.customer_account, found["id"])
    return told


def _say(told: Data, customer: str, zone: str, *, as_json: bool) -> None:
    if as_json:
        say_json(told)
        return
    fields = [("customer", customer)]
    for one in told["balances"]:
        held = sum_of(one["held_minor"], one["currency"])
        fields.append(("balance", f"{sum_of(one['balance_minor'], one['currency'])}, of which {held} is held"))
    for one in told["credit"]:
        limit = sum_of(one["limit_minor"], one["currency"])
        state = "ended" if one["ended_at"] else f"{sum_of(one['free_minor'], one['currency'])} of {limit} is free"
        fields.append(("on invoice", f"{state}, {one['term_days']} days"))
    say_fields(fields)
    if told["items"]:
        _table(told["items"], empty="")
    if zone and told["movements"]:
        rows = [
            {**one, "at": clock_of(one["booked_at"], zone), "sum": sum_of(one["minor"], one["currency"])}
            for one in told["movements"]
        ]
        say_table((Column("at", "at"), Column("what", "what"), Column("sum", "sum", right=True)), rows, empty="")


def _open(one: Data) -> str:
    if one["credit_minor"]:
        return f"{sum_of(one['credit_minor'], one['currency'])} credit"
    return sum_of(one["open_minor"], one["currency"])


def _table(rows: list[Data], *, empty: str) -> None:
    told = [{**one, "open": _open(one), "no": one["invoice"] or "–"} for one in rows]
    columns = (
        Column("due", "due_on"),
        Column("customer", "customer", folds=True),
        Column("invoice", "no"),
        Column("open", "open", right=True),
    )
    say_table(columns, told, empty=empty)
