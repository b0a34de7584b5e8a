"""`tallywatt payment`, `provider-account`, `payment-method`: how money is collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk, settings
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import (
    IN_A_TABLE,
    JsonFlag,
    LimitOption,
    OperatorOption,
    examples,
    group,
    minor_units,
)
from tallywatt.kernel.errors import BadInput, Conflict, NotFound
from tallywatt.payments.capabilities import capabilities_of

if TYPE_CHECKING:
    from tallywatt.payments.provider import StoredMethod

SHORTEST_CARD_NUMBER = 12
"""ISO/IEC 7812: 8 to 19 digits, 12 and more in use."""

payment = group("payment", "Payments: what was asked, and what became of it.")
provider_account = group("provider-account", "Accounts at payment providers.")
payment_method = group("payment-method", "Methods that customers have stored with a provider.")


@payment.command(
    "list", **examples("tallywatt payment list", "tallywatt payment list --state owed", "tallywatt payment list --json")
)
def list_payments(
    state: Annotated[str | None, typer.Option("--state", help="Only those: captured, owed, authorised …")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="REFERENCE", help="Only of this customer.")
    ] = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List payments with what was asked of the provider, the newest first."""
    with at_desk(operator) as desk:
        most = limit or (None if as_json else IN_A_TABLE)
        found = desk.pages(desk.views.payments, most, state=state, customer=customer)
        zone = desk.operator.zone
    if as_json:
        say_json(found)
        return
    rows = [
        {
            **one,
            "made": clock_of(one["created_at"], zone),
            "payer": one["customer"] or "ad hoc",
            "asked": sum_of(one["amount_minor"], one["currency"]),
            "taken": sum_of(one["captured_minor"], one["currency"]),
        }
        for one in found
    ]
    columns = (
        Column("made", "made"),
        Column("payer", "payer", folds=True),
        Column("state", "state"),
        Column("asked", "asked", right=True),
        Column("captured", "taken", right=True),
        Column("invoice", "invoice", folds=True),
    )
    say_table(columns, rows, empty="No such payment.")


FeeOption = Annotated[
    int | None,
    typer.Option("--fee", metavar="MINOR", parser=minor_units, help="What a payment costs there, in minor units."),
]
LeastOption = Annotated[
    int | None,
    typer.Option(
        "--least", metavar="MINOR", parser=minor_units, help="prepaid, invoice: what has to be free for a start."
    ),
]
LowOption = Annotated[
    int | None,
    typer.Option("--low", metavar="MINOR", parser=minor_units, help="prepaid: below it a balance is called low."),
]


@provider_account.command(
    "add",
    **examples(
        "tallywatt provider-account add main --currency GBP \\",
        "    --secret env:STRIPE_KEY --webhook-secret env:STRIPE_WEBHOOK_SECRET",
        "tallywatt provider-account add europe --provider mollie --currency EUR \\",
        "    --secret env:MOLLIE_KEY",
        "tallywatt provider-account add second --provider adyen --currency EUR \\",
        "    --merchant MyShopECOM --rank 1 \\",
        "    --secret env:ADYEN_KEY --webhook-secret env:ADYEN_HMAC_KEY",
        "tallywatt provider-account add balance --provider prepaid --currency EUR",
        "tallywatt provider-account add simulated --currency GBP --currency EUR \\",
        "    --secret file:psp.key --webhook-secret file:psp.hook \\",
        "    --base-url http://127.0.0.1:4000",
    ),
)
def add_account(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your name for the account; it is in its webhook URL.")],
    currencies: Annotated[list[str], typer.Option("--currency", help="ISO 4217; may be given several times.")],
    secret: Annotated[
        str, typer.Option("--secret", metavar="REFERENCE", help="Where its API key is: env:NAME or file:PATH.")
    ] = "",
    webhook_secrets: Annotated[
        list[str] | None,
        typer.Option("--webhook-secret", metavar="REFERENCE", help="Likewise; two while one is being replaced."),
    ] = None,
    provider: Annotated[str, typer.Option("--provider", help="stripe, mollie, adyen, prepaid, invoice.")] = "stripe",
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="Where it listens, for the simulator.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Real money moves.")] = False,
    merchant: Annotated[
        str | None, typer.Option("--merchant", help="The account's own name at the provider; Adyen wants one.")
    ] = None,
    rank: Annotated[int, typer.Option("--rank", min=0, max=1000, help="Who is asked first: the lowest.")] = 0,
    fee_minor: FeeOption = None,
    fee_share: Annotated[
        int | None,
        typer.Option("--fee-share", metavar="BASIS_POINTS", min=0, max=10_000, help="And its share of the sum."),
    ] = None,
    least: LeastOption = None,
    low: LowOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add an account at a payment provider. The first one collects by default."""
    from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account

    command = AddProviderAccount(
        name,
        provider,
        tuple(currencies),
        secret,
        tuple(webhook_secrets or ()),
        live=live,
        base_url=base_url,
        merchant=merchant,
        rank=rank,
        fee_minor=fee_minor,
        fee_basis_points=fee_share,
        least_minor=least,
        low_minor=low,
    )
    with at_desk(operator) as desk:
        row = desk.do(add_provider_account, command)
        told = next(one for one in desk.ask(desk.views.provider_accounts) if one["id"] == row["account_id"])
        told["webhook_url"] = _webhook_url(desk, told)
    if as_json:
        say_json(told)
        return
    default = ", collects by default" if told["is_default"] else ""
    fields = [("account", f"{told['name']} ({told['provider']}{default})"), ("currencies", told["currencies"])]
    if not capabilities_of(told["provider"]).own_books:
        fields.append(("webhooks to", told["webhook_url"]))
    say_fields(fields)


@provider_account.command(
    "list", **examples("tallywatt provider-account list", "tallywatt provider-account list --json")
)
def list_accounts(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List accounts, with references to their secrets."""
    with at_desk(operator) as desk:
        told = [{**one, "webhook_url": _webhook_url(desk, one)} for one in desk.ask(desk.views.provider_accounts)]
    if as_json:
        say_json(told)
        return
    columns = (
        Column("name", "name"),
        Column("provider", "provider"),
        Column("currencies", "currencies"),
        Column("live", "live"),
        Column("default", "is_default"),
        Column("secret", "secret_reference", folds=True),
    )
    say_table(columns, told, empty="No account yet. Add one: tallywatt provider-account add NAME")


@provider_account.command(
    "reports",
    **examples(
        "tallywatt provider-account reports second --user report@Company.MyCompany \\",
        "    --secret env:ADYEN_REPORT_PASSWORD",
        "tallywatt provider-account reports europe --secret env:MOLLIE_ACCESS_TOKEN",
        "tallywatt provider-account reports europe --nobody",
    ),
)
def let_read(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The account.")],
    secret: Annotated[
        str | None,
        typer.Option("--secret", metavar="REFERENCE", help="What reads its settlements: env:NAME or file:PATH."),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Whose password that is; Adyen has a report user.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Nobody reads them any more.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what reads its settlements.

    Mollie tells them to an access token of the organisation, Adyen to a report user. Stripe needs neither.
    """
    from tallywatt.workflows.take_report import SetReportAccess, set_report_access

    if (secret is None) is not nobody:
        msg = "say what reads its settlements, or that nobody does"
        raise BadInput(msg, code="payment.which_reader", remedy="give --secret REFERENCE, or --nobody")
    with at_desk(operator) as desk:
        chosen = _account(desk, name)
        desk.do(set_report_access, SetReportAccess(chosen["id"], secret, user))
        told = next(one for one in desk.ask(desk.views.provider_accounts) if one["id"] == chosen["id"])
        told["webhook_url"] = _webhook_url(desk, told)
    if as_json:
        say_json(told)
    else:
        reader = told["report_user"] or ("a token" if told["report_secret_reference"] else "nobody")
        say_fields([("account", told["name"]), ("settlements read by", reader)])


@provider_account.command(
    "captures",
    **examples(
        "tallywatt provider-account captures second --several",
        "tallywatt provider-account captures second --once",
    ),
)
def switch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The account.")],
    several: Annotated[bool, typer.Option("--several/--once", help="Whether one hold may be captured several times.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say that its provider captures one hold several times.

    Adyen's support switches it on for an account. At Stripe each hold says so itself; at Mollie a hold is captured once.
    """
    from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures

    with at_desk(operator) as desk:
        chosen = _account(desk, name)
        desk.do(switch_captures, SwitchCaptures(chosen["id"], several))
        told = next(one for one in desk.ask(desk.views.provider_accounts) if one["id"] == chosen["id"])
        told["webhook_url"] = _webhook_url(desk, told)
    if as_json:
        say_json(told)
    else:
        how = "several times" if told["several_captures"] else "once"
        say_fields([("account", told["name"]), ("a hold is captured", how)])


@payment_method.command(
    "add",
    **examples(
        "tallywatt payment-method add --customer C-1042 --token pm_1QxYz",
        "tallywatt payment-method add --customer C-1042 \\",
        "    --customer-ref cus_Q1w2E3 --method-ref pm_R4t5Y6 --last4 4242",
    ),
)
def add_method(
    customer: Annotated[str, typer.Option("--customer", metavar="REFERENCE", help="Whose.")],
    token: Annotated[
        str | None, typer.Option("--token", metavar="ID", help="From the provider's own page; stored there now.")
    ] = None,
    customer_ref: Annotated[
        str | None,
        typer.Option("--customer-ref", metavar="ID", help="Stored already: the provider's id of the customer."),
    ] = None,
    method_ref: Annotated[
        str | None, typer.Option("--method-ref", metavar="ID", help="Stored already: the provider's id of the method.")
    ] = None,
    brand: Annotated[str, typer.Option("--brand", help="Stored already: as a receipt shows it.")] = "card",
    last4: Annotated[str, typer.Option("--last4", help="Stored already: as a receipt shows it.")] = "",
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="The provider account; the default one if left out.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Remember a payment method of a customer. Never a card number: the provider's ids alone."""
    from tallywatt.kernel.identity import CustomerId, ProviderAccountId
    from tallywatt.payments.provider import StoredMethod
    from tallywatt.workflows.keep_method import KeepMethod, keep_method

    refuse_card_numbers(token, method_ref, last4)
    with at_desk(operator) as desk:
        if token is not None:
            _refuse_before_comparing(desk)
        owner = _customer(desk, customer)
        chosen = _account(desk, account)
        if token is not None:
            stored = store_at_provider(chosen, customer, token)
        elif customer_ref is not None and method_ref is not None:
            stored = StoredMethod(customer_ref, method_ref, brand, last4)
        else:
            msg = "say which method: a token, or the provider's ids of customer and method"
            raise BadInput(msg, code="payment.which_method", remedy="give --token, or --customer-ref and --method-ref")
        row = desk.do(keep_method, KeepMethod(CustomerId(owner["id"]), ProviderAccountId(chosen["id"]), stored))
        methods = desk.ask(desk.views.payment_methods, owner["id"])
        told = {**next(one for one in methods if one["id"] == row["method_id"]), "customer": customer}
    if as_json:
        say_json(told)
    else:
        say_fields([("method", f"{told['brand']} {told['last4']}"), ("customer", customer), ("state", told["state"])])


def refuse_card_numbers(token: str | None, method_ref: str | None, last4: str) -> None:
    """A card number pasted by mistake must not reach any table or log; BadInput."""
    for text in (token, method_ref):
        digits = "".join(one for one in text or "" if one not in " -")
        if digits.isdigit() and len(digits) >= SHORTEST_CARD_NUMBER:
            break
    else:
        if len(last4) <= 4:
            return
    msg = "that looks like a card number, and no card number may be kept"
    raise BadInput(msg, code="payment.card_number", remedy="give the provider's id of the method")


def _refuse_before_comparing(desk: Desk) -> None:
    """Nothing is sent to a provider by a house that does not know what happened since its backup; Conflict."""
    if any(one["compared_at"] is None for one in desk.ask(desk.views.restorations)):
        msg = "this house came back from a backup and was not compared with its providers yet"
        raise Conflict(msg, code="restore.not_compared", remedy="run: tallywatt reconcile")


@payment_method.command(
    "page",
    **examples(
        "tallywatt payment-method page --customer C-1042 --account europe \\",
        "    --return-url https://charge.example.org/thanks",
    ),
)
def open_setup_page(
    customer: Annotated[str, typer.Option("--customer", metavar="REFERENCE", help="Whose.")],
    return_url: Annotated[str, typer.Option("--return-url", metavar="URL", help="Where the customer goes afterwards.")],
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="The provider account; the default one if left out.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Open a page where a customer leaves a card.

    A page of the provider's (Mollie, Adyen). Then: payment-method add --token.
    """
    from tallywatt.kernel.identity import natural_key
    from tallywatt.payments.provider import Setup, StoresByPage
    from tallywatt.wiring import provider_of

    with at_desk(operator) as desk:
        _refuse_before_comparing(desk)
        owner, chosen = _customer(desk, customer), _account(desk, account)
    provider = provider_of(chosen, settings())
    if not isinstance(provider, StoresByPage):
        msg = f"at {chosen['provider']} a card is stored by a token"
        raise BadInput(msg, code="payment.stores_by_token", remedy="run: tallywatt payment-method add --token ID")
    key = natural_key("setup page", chosen["id"], owner["id"], return_url)
    page = provider.open_setup(Setup(owner["id"], "Tallywatt", chosen["currencies"][0], return_url, key))
    told = {"url": page.url, "token": page.token}
    if as_json:
        say_json(told)
        return
    say_fields(
        [("page", page.url), ("then", f"tallywatt payment-method add --customer {customer} --token {page.token}")]
    )


def store_at_provider(account: Data, reference: str, token: str) -> StoredMethod:
    """Keep a method with the provider, for charges without the driver."""
    from tallywatt.kernel.identity import natural_key
    from tallywatt.wiring import provider_of

    key = natural_key("store method", account["id"], reference, token)
    return provider_of(account, settings()).store_method(reference, token, key)


def _customer(desk: Desk, reference: str) -> Data:
    found: Data | None = desk.ask(desk.views.customer, reference)
    if found is None:
        msg = f"there is no customer {reference!r}"
        raise NotFound(msg, code="customers.not_found", remedy="add it first: tallywatt customer add")
    return found


def _account(desk: Desk, name: str | None) -> Data:
    accounts = desk.ask(desk.views.provider_accounts)
    found = [one for one in accounts if (one["name"] == name if name is not None else one["is_default"])]
    if not found:
        msg = "there is no provider account yet" if name is None else f"there is no provider account {name!r}"
        raise NotFound(msg, code="payment.no_account", remedy="add one: tallywatt provider-account add NAME")
    account: Data = found[0]
    return account


def _webhook_url(desk: Desk, account: Data) -> str:
    return f"{desk.settings.base_url}/webhooks/{account['provider']}/{account['id']}"
