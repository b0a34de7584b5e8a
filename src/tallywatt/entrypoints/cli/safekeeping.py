"""`tallywatt backup`, `restore` and `reconcile`: a copy that can be trusted, and a return that takes no money twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallywatt.entrypoints.cli.desk import at_desk, settings
from tallywatt.entrypoints.cli.show import say, say_fields, say_json
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.desk import Desk
    from tallywatt.entrypoints.cli.show import Data

PASSPHRASE = "TALLYWATT_BACKUP_PASSPHRASE"

BACKUP_EXAMPLES = examples(
    "tallywatt backup /backups/monday.tallywatt",
    "tallywatt backup monday.tallywatt --with-key --passphrase-file phrase",
)
RESTORE_EXAMPLES = examples(
    "TALLYWATT_DATA_DIR=/srv/new tallywatt restore /backups/monday.tallywatt",
    "tallywatt restore monday.tallywatt --passphrase-file phrase",
)
RECONCILE_EXAMPLES = examples(
    "tallywatt reconcile",
    "tallywatt reconcile --last-invoice INV-2026-000412",
    "tallywatt reconcile --report second=settlement_detail_report_batch_14.csv",
)

ArchiveFile = Annotated[Path, typer.Argument(metavar="FILE", help="The archive.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="PATH", help=f"Its first line; else the environment variable {PASSPHRASE}."
    ),
]


def backup(
    file: ArchiveFile,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Put the installation's key in it, sealed with a passphrase.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a backup, while the server runs or not.

    One file with the whole database, its version and checksums. The installation's key is not in it unless you ask:
    keep a copy of it in another place, because without it frames, webhooks and secrets stay sealed for ever.
    """
    from tallywatt.wiring import back_up

    passphrase = _passphrase(passphrase_file)
    if with_key and not passphrase:
        msg = "a key goes into a backup only under a passphrase"
        raise BadInput(msg, code="backup.passphrase_needed", remedy=f"give --passphrase-file PATH, or set {PASSPHRASE}")
    manifest = back_up(settings(), file, passphrase if with_key else None)
    told = {
        "file": str(file),
        "bytes": file.stat().st_size,
        "made_at": manifest.made_at,
        "tallywatt": manifest.tallywatt,
        "engine": manifest.engine,
        "revision": manifest.revision,
        "has_key": manifest.has_key,
    }
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("backup", told["file"]),
            ("size", f"{told['bytes'] / 1e6:.1f} MB"),
            ("of", told["made_at"]),
            ("database", f"{told['engine']}, revision {told['revision']}"),
            (
                "key",
                "in it, sealed with the passphrase" if told["has_key"] else "not in it: keep installation.key apart",
            ),
        ]
    )


def restore(file: ArchiveFile, passphrase_file: PassphraseFile = None, as_json: JsonFlag = False) -> None:
    """Bring an installation back, into an empty place.

    Checksums are verified before anything is written. Afterwards stations can charge, and nothing goes to a payment provider
    until `tallywatt reconcile` has compared what happened since the backup.
    """
    from tallywatt.wiring import bring_back

    manifest, operators = bring_back(settings(), file, _passphrase(passphrase_file))
    told = {
        "made_at": manifest.made_at,
        "engine": manifest.engine,
        "revision": manifest.revision,
        "operators": operators,
    }
    if as_json:
        say_json(told)
        return
    say_fields([("restored", str(file)), ("of", told["made_at"]), ("operators", operators)])
    say("\nNothing goes to a payment provider yet. Start the server, so that stations can charge, then run:")
    say("  tallywatt reconcile --last-invoice NUMBER   (the last number on paper, if you know it)")


def reconcile(
    last_invoices: Annotated[
        list[str] | None,
        typer.Option(
            "--last-invoice",
            metavar="NUMBER",
            help="The last invoice number that was sent to anybody, one a series and year. "
            "Without it the series moves on by a safe distance.",
        ),
    ] = None,
    reports: Annotated[
        list[str] | None,
        typer.Option("--report", metavar="ACCOUNT=FILE", help="A report file of an account that writes some (Adyen)."),
    ] = None,
    is_complete: Annotated[
        bool, typer.Option("--complete", help="The reports cover every day since the backup, whatever their names say.")
    ] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """After a restore: ask the payment providers, go on.

    It asks every provider account what happened since the backup, takes it in, and moves the invoice numbers past every one
    that may be on paper. It can be run again at any time. With --report it takes in files of a provider, also without a
    restore: settlement details, or payments accounting.
    """
    from tallywatt.entrypoints.cli.reports import given_reports, take_reports

    with at_desk(operator) as desk:
        waiting = [one for one in desk.ask(desk.views.restorations) if one["compared_at"] is None]
        given = given_reports(desk, tuple(reports or ()), settings())
        taken = take_reports(desk, given, waiting, is_complete=is_complete)
        told = _compare(desk, waiting, tuple(last_invoices or ()), taken["traces"]) if waiting else None
    if as_json:
        say_json((told or {"waited": False}) | ({"reports": taken["told"]} if given else {}))
        return
    for one in taken["told"]:
        say(f"{one['account']}: {one['new']} new lines, {one['known']} known, {one['news']} payments better known.")
    if told is None:
        if not given:
            say("Nothing waits for its providers: there was no restore, or it was compared already.")
    else:
        say_fields(
            [
                ("since", told["backup_at"]),
                ("accounts asked", told["accounts"]),
                ("payments looked at", told["looked_at"]),
                ("  known better there", told["news"]),
                ("  known only there", told["unknown"]),
            ]
        )
        say(
            "\nThe house goes on: payments are collected and invoices numbered again. See the inbox for what was found."
        )


def _compare(desk: Desk, waiting: list[Data], last_invoices: tuple[str, ...], of_files: dict[str, list[Any]]) -> Data:
    from tallywatt.invoicing.skipped import parts_of
    from tallywatt.wiring import traces_of
    from tallywatt.workflows.end_restoration import EndRestoration, end_restoration
    from tallywatt.workflows.take_found import TakeFound, take_found

    for number in last_invoices:
        parts_of(number)
    since = min(one["backup_ms"] for one in waiting)
    accounts = desk.ask(desk.views.provider_accounts)
    results: list[Any] = []
    numbers: set[str] = set()
    for account in accounts:
        unfinished = desk.ask(desk.views.unfinished_payments, account["id"])
        for trace in traces_of(account, since, unfinished, settings(), of_files.get(account["id"])):
            results.append(desk.do(take_found, TakeFound(account["id"], trace)))
            if trace.invoice_number:
                numbers.add(trace.invoice_number)
    news = {one["payment_id"] for one in results if one["news"]}
    ended = EndRestoration(waiting[0]["id"], last_invoices, tuple(sorted(numbers)), len(news))
    desk.do(end_restoration, ended)
    return {
        "waited": True,
        "backup_at": min(one["backup_at"] for one in waiting),
        "accounts": len(accounts),
        "looked_at": len({one["payment_id"] for one in results}),
        "news": len(news),
        "unknown": len({one["payment_id"] for one in results if one["was_unknown"]}),
    }


def _passphrase(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(PASSPHRASE) or None
    try:
        first = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"the passphrase cannot be read from {path}"
        raise BadInput(msg, code="backup.no_passphrase") from error
    if not first or not first[0].strip():
        msg = f"the first line of {path} is empty"
        raise BadInput(msg, code="backup.no_passphrase")
    return first[0].strip()
