"""Tables of the room `evidence`: audits that were asked for, and what each has found."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    choice,
    flag,
    index,
    instant,
    json_text,
    refers,
    table,
    text,
    version,
    whole,
)
from tallywatt.evidence.run import Audit, AuditFinding, AuditState

AUDITS = Mapping(
    table(
        "audits",
        text("audit_id"),
        choice("state", AuditState),
        text("asked_by"),
        instant("asked_at"),
        instant("began_at", null=True),
        instant("ended_at", null=True),
        flag("is_clean", null=True),
        whole("findings", null=True),
        json_text("figures", null=True),
        text("error", null=True),
        version(),
        index("state", "audit_id"),
        key=("audit_id",),
    ),
    Audit,
)

AUDIT_FINDINGS = Mapping(
    table(
        "audit_findings",
        text("audit_id"),
        whole("number"),
        text("code"),
        text("subject"),
        text("says"),
        text("expected", null=True),
        text("found", null=True),
        refers("audit_id", "audits"),
        key=("audit_id", "number"),
    ),
    AuditFinding,
)
