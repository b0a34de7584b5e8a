"""The program: the tree of commands, what an error looks like, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tallywatt.entrypoints.cli import (
    access,
    accounts,
    approvals,
    audit,
    bank,
    certificates,
    circles,
    closing,
    corrections,
    coupons,
    customers,
    database,
    debits,
    demo,
    disputes,
    imports,
    inbox,
    invoices,
    locations,
    market,
    metering,
    meters,
    operators,
    payments,
    people,
    rating,
    readers,
    rerate,
    reservations,
    rules,
    safekeeping,
    sealing,
    serving,
    sessions,
    settlements,
    simulate,
    station_keys,
    station_profiles,
    tariffs,
    webhooks,
)
from tallywatt.entrypoints.cli.failing import complain, exit_code
from tallywatt.entrypoints.cli.narrowing import narrowed
from tallywatt.entrypoints.cli.words import examples
from tallywatt.kernel.errors import TallywattError

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""

app = typer.Typer(
    name="tallywatt",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    **examples("tallywatt demo", "tallywatt serve", "tallywatt session list --json"),
)


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        sys.stdout.write(f"tallywatt {version('tallywatt')}\n")
        raise typer.Exit


@app.callback()
def tallywatt(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Bills and collects for EV charging: from the plug to the paid invoice.

    Settings come from the environment: TALLYWATT_DATA_DIR (default ./data), TALLYWATT_DATABASE_URL (default SQLite in
    the data directory), TALLYWATT_HTTP_PORT (8080), TALLYWATT_OCPP_PORT (9000).
    """


app.command("demo", **demo.EXAMPLES)(demo.demo)
app.command("serve", **serving.EXAMPLES)(serving.serve)
app.command("rate", **rating.EXAMPLES)(rating.rate)
app.command("rerate", **rerate.EXAMPLES)(rerate.rerate)
app.command("verify-meter", **metering.EXAMPLES)(metering.verify_meter)
app.add_typer(database.database)
for one in (
    operators.operator,
    locations.location,
    station_keys.station,
    station_profiles.station,
    reservations.reservation,
    certificates.authority,
    meters.meter_key,
    tariffs.tariff,
    market.market_prices,
    customers.customer,
    customers.token,
    circles.circle,
    approvals.approval,
    corrections.correction,
    coupons.coupon,
    accounts.balance,
    accounts.credit,
    payments.provider_account,
    payments.payment_method,
    readers.reader,
    sessions.session,
    invoices.invoice,
    payments.payment,
    settlements.settlement,
    disputes.dispute,
    bank.bank,
    debits.debit,
    inbox.inbox,
    inbox.job,
    rules.rule,
    rules.profile,
    access.api_key,
    webhooks.webhook,
    sealing.secrets,
    people.person,
):
    app.add_typer(one)
app.command("console-link", **access.CONSOLE_LINK_EXAMPLES)(access.console_link)
app.command("backup", **safekeeping.BACKUP_EXAMPLES)(safekeeping.backup)
app.command("restore", **safekeeping.RESTORE_EXAMPLES)(safekeeping.restore)
app.command("reconcile", **safekeeping.RECONCILE_EXAMPLES)(safekeeping.reconcile)
app.command("audit", **audit.EXAMPLES)(audit.audit)
app.command("close-day", **closing.EXAMPLES)(closing.close_day)
app.add_typer(imports.importing)
app.add_typer(simulate.simulate)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; always ends by SystemExit."""
    try:
        narrowed(app, sys.argv[1:] if arguments is None else arguments)(arguments, prog_name="tallywatt")
    except TallywattError as error:
        complain(error)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # Whoever read the output has seen enough: `tallywatt session list | head`. Nothing more can be flushed there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
