"""An audit is asked for, begun, and its result kept. The comparing itself happens beside the writer, on one moment's rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tallywatt.evidence.run import MOST_FINDINGS, Audit, AuditFinding, AuditState
from tallywatt.kernel.events import Event
from tallywatt.workflows.jobs import Job
from tallywatt.workflows.record_action import record_action

if TYPE_CHECKING:
    from tallywatt.evidence.findings import Finding
    from tallywatt.workflows.ports import UnitOfWork

JOB = "run_audit"


@dataclass(frozen=True, slots=True)
class AskAudit:
    """Everything is to be recomputed and compared."""


def ask_audit(work: UnitOfWork, command: AskAudit) -> Audit:
    """A new audit; the one that waits already, for it has not looked at anything yet."""
    del command
    for waiting in work.audits.by(state=AuditState.WAITING.value):
        return waiting
    row = Audit(
        work.draw.id("audit"), AuditState.WAITING, work.actor, work.machine_now, None, None, None, None, None, None
    )
    work.audits.add(row)
    work.jobs.add(Job(JOB, row.audit_id))
    record_action(work, "audit.run", "audit", row.audit_id)
    return row


@dataclass(frozen=True, slots=True)
class BeginAudit:
    """A worker has taken it up."""

    audit_id: str


def begin_audit(work: UnitOfWork, command: BeginAudit) -> Audit:
    """It runs; again after a worker died in the middle of it."""
    audit = work.audits.lock(command.audit_id)
    if audit.state not in {AuditState.WAITING, AuditState.RUNNING}:
        return audit
    return work.audits.put(replace(audit, state=AuditState.RUNNING, began_at=work.machine_now))


@dataclass(frozen=True, slots=True)
class KeepAudit:
    """What it has found; `figures` are those of `AuditReport.summary`, with how many frames were read."""

    audit_id: str
    findings: tuple[Finding, ...]
    figures: dict[str, Any]


def keep_audit(work: UnitOfWork, command: KeepAudit) -> Audit:
    """Write its result down, once."""
    audit = work.audits.lock(command.audit_id)
    if audit.state is not AuditState.RUNNING:
        return audit
    work.audit_findings.add_all(
        AuditFinding(audit.audit_id, number, one.code, one.subject, one.says, one.expected, one.found)
        for number, one in enumerate(command.findings[:MOST_FINDINGS], 1)
    )
    count = len(command.findings)
    done = replace(
        audit,
        state=AuditState.DONE,
        ended_at=work.machine_now,
        is_clean=not count,
        findings=count,
        figures=command.figures,
    )
    work.events.append(Event("audit", audit.audit_id, "AuditEnded", {"is_clean": not count, "findings": count}))
    return work.audits.put(done)


@dataclass(frozen=True, slots=True)
class FailAudit:
    """It could not be carried out."""

    audit_id: str
    error: str


def fail_audit(work: UnitOfWork, command: FailAudit) -> Audit:
    """Say so: whoever follows it must not wait for ever."""
    audit = work.audits.lock(command.audit_id)
    if audit.state is not AuditState.RUNNING:
        return audit
    return work.audits.put(
        replace(audit, state=AuditState.FAILED, ended_at=work.machine_now, error=command.error[:500])
    )
