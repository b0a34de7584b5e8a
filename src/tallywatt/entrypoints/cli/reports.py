"""Report files that a person gives to `tallywatt reconcile`: whose they are, what they tell, which days they are about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallywatt.entrypoints.cli.reading import read_bytes
from tallywatt.kernel.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.desk import Desk
    from tallywatt.entrypoints.cli.show import Data
    from tallywatt.payments.report import Report
    from tallywatt.settings import Settings

AT_ONCE = 20
"""Lines in one command: others wait for the writer meanwhile."""


@dataclass(frozen=True, slots=True)
class Given:
    """The files of one account."""

    account: Data
    names: tuple[str, ...]
    contents: tuple[bytes, ...]
    settlements: tuple[Report, ...]
    payments: Report | None
    each: tuple[Report, ...]
    """Those about payments, one by one, in the order of their names."""
    payment_names: tuple[str, ...]


def given_reports(desk: Desk, told: tuple[str, ...], settings: Settings) -> list[Given]:
    """The files, read before anything is done: a broken one must not be half taken."""
    from tallywatt.wiring import report_of

    accounts = {one["name"]: one for one in desk.ask(desk.views.provider_accounts)} if told else {}
    files: dict[str, list[Path]] = {}
    for one in told:
        name, is_pair, path = one.partition("=")
        if not is_pair or not path:
            msg = f"{one!r} does not say whose report it is"
            raise BadInput(msg, code="report.whose", remedy="give it as --report ACCOUNT=FILE")
        if name not in accounts:
            msg = f"there is no provider account {name!r}"
            raise NotFound(msg, code="payment.no_account", remedy="see: tallywatt provider-account list")
        files.setdefault(name, []).append(Path(path))
    found = []
    for name, paths in files.items():
        contents = tuple(read_bytes(path) for path in paths)
        reports = [report_of(accounts[name], (content,), settings) for content in contents]
        of_payments = [index for index, one in enumerate(reports) if one.is_of_payments]
        together = None
        if of_payments:
            together = report_of(accounts[name], tuple(contents[index] for index in of_payments), settings)
        found.append(
            Given(
                accounts[name],
                tuple(path.name for path in paths),
                contents,
                tuple(one for one in reports if not one.is_of_payments),
                together,
                tuple(reports[index] for index in of_payments),
                tuple(paths[index].name for index in of_payments),
            )
        )
    return found


def take_reports(desk: Desk, given: list[Given], waiting: list[Data], *, is_complete: bool) -> Data:
    """Take in what they tell. After a restore nothing is settled before the comparison; what payments are told is handed on."""
    traces: dict[str, list[Any]] = {}
    told = []
    for one in given:
        if waiting:
            traces[one.account["id"]] = _for_comparison(one, waiting, is_complete=is_complete)
        told.append({"account": one.account["name"], "files": list(one.names), **_take(desk, one, waiting)})
    return {"traces": traces, "told": told}


def _for_comparison(one: Given, waiting: list[Data], *, is_complete: bool) -> list[Any]:
    from tallywatt.kernel.clock import Instant, local_date
    from tallywatt.payments.report import days_missing, days_named

    if one.payments is None:
        msg = f"the reports of {one.account['name']} say nothing about its payments"
        raise Conflict(
            msg, code="restore.report_of_settlements", remedy="give its payments accounting reports since the backup"
        )
    spans = []
    for name, report in zip(one.payment_names, one.each, strict=True):
        seen = tuple(local_date(at, "UTC") for at in (report.first_at, report.last_at))
        spans.append(days_named(name) or (seen[0], seen[1]))
    first = local_date(Instant(min(it["backup_ms"] for it in waiting)), "UTC")
    last = local_date(Instant(max(it["restored_ms"] for it in waiting)), "UTC")
    missing = () if is_complete else days_missing(spans, first, last)
    if missing:
        days = ", ".join(day.isoformat() for day in missing[:10])
        msg = f"no report of {one.account['name']} is about {days}"
        raise Conflict(
            msg,
            code="restore.report_days_missing",
            remedy="give the reports of those days too, or say --complete where the files cover them",
        )
    return list(one.payments.told)


def _take(desk: Desk, one: Given, waiting: list[Data]) -> Data:
    from tallywatt.workflows.read_settlements import EndReading, end_reading
    from tallywatt.workflows.take_file import take_file
    from tallywatt.workflows.take_report import NoteReport, TakeTold, note_report, take_told
    from tallywatt.workflows.take_settlement import TakeSettlement

    sums = {"new": 0, "corrected": 0, "known": 0}
    account_id = one.account["id"]
    payments = () if one.payments is None else one.payments.told
    count = len({trace.payment_id for trace in payments})
    for content in one.contents:
        digest = hashlib.sha256(content).hexdigest()
        lines = sum(len(report.lines) for report in one.settlements)
        desk.do(note_report, NoteReport(account_id, digest, lines, count))
    if waiting:
        # What is missing here is not a difference before it was compared.
        return {**sums, "news": 0}
    for report in one.settlements:
        for first in range(0, len(report.lines), AT_ONCE):
            some = report.lines[first : first + AT_ONCE]
            taken = desk.do(take_file, TakeSettlement(account_id, some))
            sums = {name: count + taken[name] for name, count in sums.items()}
        desk.do(end_reading, EndReading(account_id, report.first_at, report.last_at))
    news = {trace.payment_id for trace in payments if desk.do(take_told, TakeTold(account_id, trace))}
    return {**sums, "news": len(news)}
