"""`tallywatt audit`: everything recomputed from what was sealed, and a precise list of what does not add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.show import kwh_of, say, say_fields, say_json, sum_of
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.show import Data

EXAMPLES = examples("tallywatt audit", "tallywatt audit --json", "tallywatt audit && echo 'everything adds up'")


def audit(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Recompute energy and money; list what does not add up.

    It reads the stored frames with code of its own, compares meters, bills, payments and books, and changes nothing. It
    may run beside a server. Ends with 1 when something does not add up.
    """
    from tallywatt.wiring import audit_beside

    with at_desk(operator) as desk:
        report = audit_beside(desk.settings, desk.operator.id).as_json()
    if as_json:
        say_json(report)
    else:
        say_report(report)
    if not report["clean"]:
        raise typer.Exit(FINDING)


def say_report(report: Data) -> None:
    """The report for people: the two equations, then the findings."""
    code = report["currency"]
    explained = [f"{kwh_of(amount)} {reason.replace('_', ' ')}" for reason, amount in report["explained_wh"].items()]
    say_fields(
        [
            ("sessions", report["sessions"]),
            ("delivered", kwh_of(report["delivered_wh"])),
            ("  billed", kwh_of(report["billed_wh"])),
            ("  explained", explained),
            ("  running", None if report["running_wh"] == "0" else kwh_of(report["running_wh"])),
            ("  unexplained", kwh_of(str(report["unexplained_wh"]))),
            ("billed", sum_of(report["billed_minor"], code)),
            ("  captured", sum_of(report["captured_minor"], code)),
            ("  refunded", sum_of(report["refunded_minor"], code) if report["refunded_minor"] else None),
            ("  owed", sum_of(report["owed_minor"], code)),
            ("    on invoice", sum_of(report["on_account_minor"], code) if report["on_account_minor"] else None),
            ("invoices", report["invoices"]),
            ("books", "balanced" if report["ledger_balanced"] else "not balanced"),
        ]
    )
    if report["clean"]:
        say(f"\nEverything adds up: {report['frames']} frames read again.")
        return
    say(f"\n{len(report['findings'])} findings")
    for one in report["findings"]:
        differs = "" if one["expected"] is None else f" (expected {one['expected']}, found {one['found']})"
        say(f"  {one['code']}  {one['subject']}")
        say(f"    {one['says']}{differs}")
