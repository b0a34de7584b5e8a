"""`tallywatt debit`: SEPA direct debit: who collects, mandates, batches with their files, reports of the bank."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import Desk, at_desk
from tallywatt.entrypoints.cli.reading import read_bytes, read_text, write_bytes
from tallywatt.entrypoints.cli.show import Column, Data, say, say_fields, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group
from tallywatt.kernel.errors import NotFound

debit = group("debit", "SEPA direct debit: mandates, files, reports.")

EUR = "EUR"
AT_ONCE = 50
"""Answers of a bank in one command: others wait for the writer meanwhile."""
Batch = Annotated[str, typer.Argument(metavar="BATCH", help="Its message id, or its id.")]
MandateRef = Annotated[str, typer.Argument(metavar="MANDATE", help="Its reference, or its id.")]


class SchemeName(StrEnum):
    """Under which rules is collected."""

    CORE = "core"
    B2B = "b2b"


@debit.command(
    "creditor",
    **examples(
        "tallywatt debit creditor",
        "tallywatt debit creditor DE98ZZZ09999999999 --iban DE89370400440532013000",
    ),
)
def creditor(
    creditor_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Your creditor identifier; left out: show what is set.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Your name as payers read it.")] = None,
    iban: Annotated[str | None, typer.Option("--iban", help="The account on which the money comes in.")] = None,
    bic: Annotated[str | None, typer.Option("--bic", help="Its bank's code, if your bank wants it.")] = None,
    notice_days: Annotated[
        int | None, typer.Option("--notice-days", min=1, max=60, help="How long before the day payers are told: 14.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Set or show who collects, and how long before payers are told.

    What is not said stays as it is.
    """
    from tallywatt.workflows.keep_mandate import SetCreditor, set_creditor

    with at_desk(operator) as desk:
        if any(one is not None for one in (creditor_id, name, iban, bic, notice_days)):
            known = desk.ask(desk.views.creditor) or {}
            command = SetCreditor(
                creditor_id or known.get("creditor_id", ""),
                name or known.get("name") or desk.operator.name,
                iban or known.get("iban", ""),
                known.get("bic") if bic is None and iban is None else bic,
                notice_days or known.get("notice_days", 14),
            )
            desk.do(set_creditor, command)
        told = desk.ask(desk.views.creditor)
    if as_json:
        say_json(told or {})
    elif told is None:
        say("Nobody collects by direct debit yet.")
    else:
        say_fields(
            [
                ("creditor", told["creditor_id"]),
                ("name", told["name"]),
                ("account", told["iban"]),
                ("told before", f"{told['notice_days']} days"),
            ]
        )


@debit.command(
    "sign",
    **examples(
        "tallywatt debit sign C-1 NL91ABNA0417164300 --on 2026-11-02",
        "tallywatt debit sign C-1 - --on 2026-11-02 --reference M-17 < iban.txt",
    ),
)
def sign(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's reference.")],
    iban: Annotated[str, typer.Argument(metavar="IBAN", help="The payer's account; - reads standard input.")],
    signed_on: Annotated[str, typer.Option("--on", metavar="DATE", help="The day on which it was signed.")],
    reference: Annotated[
        str | None, typer.Option("--reference", help="As it stands on the mandate; drawn if left out.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The holder of the account; the customer if left out.")
    ] = None,
    bic: Annotated[str | None, typer.Option("--bic", help="The bank's code; needed outside of the EEA.")] = None,
    scheme: Annotated[SchemeName, typer.Option("--scheme", help="Whose rules hold.")] = SchemeName.CORE,
    used: Annotated[bool, typer.Option("--used", help="It was collected with elsewhere before.")] = False,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep a mandate that a customer has signed. The account is sealed."""
    from tallywatt.payments.debit import Scheme
    from tallywatt.workflows.keep_mandate import SignMandate, sign_mandate

    number = read_text(Path("-")).strip() if iban == "-" else iban
    command = SignMandate(customer, number, signed_on, name, bic, reference, Scheme(scheme.value), used)
    with at_desk(operator) as desk:
        told = desk.ask(desk.views.mandate, desk.do(sign_mandate, command)["mandate_id"])
    _say_mandate(told, as_json=as_json)


@debit.command("revoke", **examples("tallywatt debit revoke M-17"))
def revoke(mandate: MandateRef, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """A customer has taken a mandate back: nothing more is collected."""
    from tallywatt.workflows.keep_mandate import RevokeMandate, revoke_mandate

    with at_desk(operator) as desk:
        known = _mandate(desk, mandate)
        desk.do(revoke_mandate, RevokeMandate(known["id"]))
        told = _mandate(desk, mandate)
    _say_mandate(told, as_json=as_json)


@debit.command("resume", **examples("tallywatt debit resume M-17"))
def resume(mandate: MandateRef, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Collect again with a mandate that a bank's answer has paused."""
    from tallywatt.workflows.keep_mandate import ResumeMandate, resume_mandate

    with at_desk(operator) as desk:
        known = _mandate(desk, mandate)
        desk.do(resume_mandate, ResumeMandate(known["id"]))
        told = _mandate(desk, mandate)
    _say_mandate(told, as_json=as_json)


@debit.command("mandates", **examples("tallywatt debit mandates", "tallywatt debit mandates --json"))
def mandates(limit: LimitOption = None, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List mandates, the newest first."""
    with at_desk(operator) as desk:
        rows = desk.ask(desk.views.mandates, None, limit or (1000 if as_json else IN_A_TABLE))
    if as_json:
        say_json(rows)
        return
    columns = (
        Column("mandate", "reference", folds=True),
        Column("customer", "customer", folds=True),
        Column("account", "account"),
        Column("signed", "signed_on"),
        Column("used", "used_on"),
        Column("state", "state"),
        Column("why", "end_reason"),
    )
    say_table(columns, rows, empty="There are no mandates.")


@debit.command("prepare", **examples("tallywatt debit prepare", "tallywatt debit prepare --on 2026-12-07 --json"))
def prepare(
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day; if left out, the first that is in time.")
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Your name for it; asked twice it is the same.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Put together what is due until a day. Asked again it is the same."""
    from tallywatt.workflows.prepare_debits import PrepareDebits, prepare_debits

    with at_desk(operator) as desk:
        told = desk.do(prepare_debits, PrepareDebits(on, key))
        while told["looked_to"]:
            told = desk.do(prepare_debits, PrepareDebits(on, key))
        batch = _batch(desk, told["batch_id"])
    if not batch["count"]:
        if as_json:
            say_json(batch)
        else:
            say("Nothing is due that may be collected.")
        return
    _say_batch(batch, as_json=as_json)


@debit.command("preview", **examples("tallywatt debit preview", "tallywatt debit preview --on 2026-12-07 --json"))
def preview(
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="The day; if left out, the first that is in time.")
    ] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what would be collected, and from whom. Nothing is written down."""
    from tallywatt.workflows.prepare_debits import PrepareDebits, collection_day

    with at_desk(operator) as desk:
        day = desk.do(collection_day, PrepareDebits(on))
        due = desk.ask(desk.views.debits_due, day["collect_on"], day["today"])
    if as_json:
        say_json({"collect_on": day["collect_on"], "currency": EUR, **due})
        return
    say_fields([("day", day["collect_on"]), ("payers", str(due["count"])), ("sum", sum_of(due["total_minor"], EUR))])
    columns = (
        Column("mandate", "reference", folds=True),
        Column("customer", "customer", folds=True),
        Column("account", "account"),
        Column("items", "items", right=True),
        Column("sum", "sum", right=True),
    )
    rows = [{**one, "sum": sum_of(one["amount_minor"], EUR)} for one in due["debits"]]
    say_table(columns, rows, empty="Nothing is due that may be collected.")
    if due["count"] > len(rows):
        say(f"And {due['count'] - len(rows)} more.")


@debit.command("list", **examples("tallywatt debit list", "tallywatt debit list --json"))
def list_batches(limit: LimitOption = None, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """List batches, the latest day first."""
    with at_desk(operator) as desk:
        found = desk.ask(desk.views.debit_batches, limit or (1000 if as_json else IN_A_TABLE))
    if as_json:
        say_json(found)
        return
    rows = [{**one, "sum": sum_of(one["total_minor"], one["currency"])} for one in found]
    columns = (
        Column("batch", "message_id", folds=True),
        Column("day", "collect_on"),
        Column("payers", "count", right=True),
        Column("sum", "sum", right=True),
        Column("state", "state"),
    )
    say_table(columns, rows, empty="Nothing was collected yet.")


@debit.command("show", **examples("tallywatt debit show DD20261207-7K3M9QX2AB"))
def show(batch: Batch, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Show a batch, and what became of each payer's."""
    with at_desk(operator) as desk:
        told = _batch(desk, batch)
    _say_batch(told, as_json=as_json)


@debit.command("file", **examples("tallywatt debit file DD20261207-7K3M9QX2AB --to debits.xml"))
def file(
    batch: Batch,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to; left out: standard output.")
    ] = None,
    operator: OperatorOption = None,
) -> None:
    """Fetch the file for the bank (pain.008.001.08). It is always the same."""
    from tallywatt.wiring import debit_file_of, keyring_of
    from tallywatt.workflows.prepare_debits import GiveBatch, give_batch

    with at_desk(operator) as desk:
        told = _batch(desk, batch)
        if to is not None:
            # Where nothing can be written, nothing was given to the bank.
            write_bytes(to, b"")
        desk.do(give_batch, GiveBatch(told["id"]))
        content = debit_file_of(*desk.ask(desk.views.debit_file_rows, told["id"], keyring_of(desk.settings).vault()))
    if to is None:
        typer.get_binary_stream("stdout").write(content)
        return
    write_bytes(to, content)
    say(f"{to}: {told['count']} payers, {sum_of(told['total_minor'], told['currency'])}.")


@debit.command("report", **examples("tallywatt debit report status.xml"))
def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Reports: pain.002, as your bank gives them.")],
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Read reports of the bank. What it has rejected is open again."""
    from tallywatt.wiring import statuses_of
    from tallywatt.workflows.end_debits import TakeStatuses, take_statuses

    told = [(path, content, statuses_of(content)) for path in files for content in (read_bytes(path),)]
    rows = []
    with at_desk(operator) as desk:
        for path, content, statuses in told:
            digest = hashlib.sha256(content).hexdigest()
            sums = {"rejected": 0, "unknown": 0}
            for first in range(0, len(statuses), AT_ONCE):
                taken = desk.do(take_statuses, TakeStatuses(statuses[first : first + AT_ONCE], digest))
                sums = {name: count + taken[name] for name, count in sums.items()}
            rows.append({"file": path.name, "sha256": digest, **sums})
    if as_json:
        say_json(rows)
        return
    for row in rows:
        say(f"{row['file']}: {row['rejected']} rejected, {row['unknown']} unknown.")


@debit.command("cancel", **examples("tallywatt debit cancel DD20261207-7K3M9QX2AB"))
def cancel(batch: Batch, operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Let a batch go that the bank never had, or has called back."""
    from tallywatt.workflows.end_debits import CancelBatch, cancel_batch

    with at_desk(operator) as desk:
        desk.do(cancel_batch, CancelBatch(_batch(desk, batch)["id"]))
        told = _batch(desk, batch)
    _say_batch(told, as_json=as_json)


def _mandate(desk: Desk, name: str) -> Data:
    found: Data | None = desk.ask(desk.views.mandate, name)
    if found is None:
        msg = f"there is no mandate {name!r}"
        raise NotFound(msg, code="debits.no_mandate", remedy="see: tallywatt debit mandates")
    return found


def _batch(desk: Desk, name: str) -> Data:
    found: Data | None = desk.ask(desk.views.debit_batch, name)
    if found is None:
        msg = "there is no such batch"
        raise NotFound(msg, code="debits.not_found", remedy="see: tallywatt debit list")
    return found


def _say_mandate(told: Data, *, as_json: bool) -> None:
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("mandate", told["reference"]),
            ("customer", told["customer"]),
            ("account", told["account"]),
            ("signed", told["signed_on"]),
            ("state", " ".join(filter(None, (told["state"], told["end_reason"])))),
            ("void from", told["void_from"]),
        ]
    )


def _say_batch(told: Data, *, as_json: bool) -> None:
    if as_json:
        say_json(told)
        return
    say_fields(
        [
            ("batch", told["message_id"]),
            ("day", told["collect_on"]),
            ("payers", str(told["count"])),
            ("sum", sum_of(told["total_minor"], told["currency"])),
            ("state", told["state"]),
        ]
    )
    rows = [{**one, "sum": sum_of(one["amount_minor"], one["currency"])} for one in told["debits"]]
    columns = (
        Column("debit", "end_to_end", folds=True),
        Column("customer", "customer", folds=True),
        Column("account", "account"),
        Column("kind", "sequence"),
        Column("sum", "sum", right=True),
        Column("state", "state"),
        Column("why", "reason"),
    )
    say_table(columns, rows, empty="Nothing is in it.")
