"""Pure: what an audit finds, and what it reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tallywatt.kernel.energy import wh


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up: a stable code, what it is about, and the two figures that differ."""

    code: str
    """`session.energy`, `line.missing`, `entry.doubled` … the part before the dot names what was looked at."""
    subject: str
    """The id of what was looked at."""
    says: str
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit. It is clean when nothing was found."""

    findings: tuple[Finding, ...]
    sessions: int
    delivered: int
    """Milliwatt-hours, as metered by the frames."""
    billed: int
    explained: dict[str, int]
    """Milliwatt-hours by reason."""
    running: int
    """Of sessions that go on."""
    currency: str
    money: dict[str, dict[str, int]]
    """By currency: billed_minor, captured_minor, refunded_minor, suspense_minor, owed_minor, on_account_minor."""
    invoices: int
    voided: int
    held: int
    ledger_balanced: bool
    frames: int
    erased_frames: int
    """Frames whose key was dropped: for their sessions the stored registers speak."""

    @property
    def is_clean(self) -> bool:
        """Whether everything adds up."""
        return not self.findings

    @property
    def unexplained(self) -> int:
        """Milliwatt-hours that were metered and are neither billed nor explained."""
        return self.delivered - self.billed - sum(self.explained.values()) - self.running

    def summary(self) -> dict[str, Any]:
        """The figures as every command prints them: Wh as decimal strings, money in minor units of the operator's currency."""
        money = self.money.get(self.currency, {})
        return {
            "sessions": self.sessions,
            "delivered_wh": wh(self.delivered),
            "billed_wh": wh(self.billed),
            "explained_wh": {reason: wh(amount) for reason, amount in sorted(self.explained.items()) if amount},
            "running_wh": wh(self.running),
            "unexplained_wh": 0 if self.unexplained == 0 else wh(self.unexplained),
            "currency": self.currency,
            "billed_minor": money.get("billed_minor", 0),
            "captured_minor": money.get("captured_minor", 0),
            "refunded_minor": money.get("refunded_minor", 0),
            "suspense_minor": money.get("suspense_minor", 0),
            "owed_minor": money.get("owed_minor", 0),
            "on_account_minor": money.get("on_account_minor", 0),
            "other_currencies": {code: sums for code, sums in sorted(self.money.items()) if code != self.currency},
            "invoices": self.invoices,
            "voided": self.voided,
            "held": self.held,
            "ledger_balanced": self.ledger_balanced,
        }

    def as_json(self) -> dict[str, Any]:
        """Everything: `clean`, `findings`, and the keys of the summary."""
        return {
            "clean": self.is_clean,
            "findings": [asdict(one) for one in self.findings],
            "frames": self.frames,
            "erased_frames": self.erased_frames,
            **self.summary(),
        }
