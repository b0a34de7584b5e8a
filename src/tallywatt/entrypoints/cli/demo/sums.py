"""The end of the demonstration: the platform's figures beside those of the meters and of the payment provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.energy import wh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.evidence.findings import AuditReport

INCIDENTS = 5
"""So many sessions at most may end without a bill."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What those say who are not the platform: the site's own meters, the provider's own books."""

    sessions: int
    milliwatt_hours: int
    captured_minor: int
    refunded_minor: int
    holds_open: int


@dataclass(frozen=True, slots=True)
class Sums:
    """All figures together."""

    audit: AuditReport
    outside: Outside
    expected_sessions: int
    kills: int
    unequal_after_kills: int
    played_to_the_end: bool

    @property
    def unexplained(self) -> int:
        """Milliwatt-hours that the site's meters delivered, and the platform has neither billed nor explained."""
        return self.outside.milliwatt_hours - self.audit.billed - sum(self.audit.explained.values())

    def line(self) -> dict[str, Any]:
        """The last line of the demonstration."""
        said = self.audit.summary()
        return {
            "sessions": said["sessions"],
            "delivered_wh": wh(self.outside.milliwatt_hours),
            "billed_wh": said["billed_wh"],
            "explained_wh": said["explained_wh"],
            "unexplained_wh": 0 if self.unexplained == 0 else wh(self.unexplained),
            "billed_minor": said["billed_minor"],
            "captured_minor": self.outside.captured_minor - self.outside.refunded_minor,
            "owed_minor": said["owed_minor"],
            "invoices": said["invoices"],
            "voided": said["voided"],
            "held": said["held"],
            "kills": self.kills,
            "ledger_balanced": said["ledger_balanced"],
        }

    def doubts(self) -> list[str]:
        """What does not add up, in sentences; nothing when all is well."""
        line, audit, outside = self.line(), self.audit, self.outside
        captured = line["captured_minor"]
        checks: Mapping[str, bool] = {
            "the site did not play its day to the end": self.played_to_the_end,
            f"{outside.sessions} sessions were delivered, {audit.sessions} are known": outside.sessions
            == audit.sessions,
            f"{self.expected_sessions} sessions were expected": audit.sessions == self.expected_sessions,
            f"{line['unexplained_wh']} Wh are neither billed nor explained": self.unexplained == 0,
            f"{wh(audit.running)} Wh belong to sessions that never ended": audit.running == 0,
            f"{line['billed_minor']} minor units are billed, but {captured} captured and {line['owed_minor']} owed": (
                line["billed_minor"] == captured + line["owed_minor"]
            ),
            f"{audit.sessions - audit.invoices} sessions have no bill": audit.sessions - audit.invoices <= INCIDENTS,
            f"{outside.holds_open} holds are still open at the provider": outside.holds_open == 0,
            "the books are not balanced": audit.ledger_balanced,
            f"after {self.unequal_after_kills} kills the figures did not add up": self.unequal_after_kills == 0,
        }
        found = [f"audit: {one.says} ({one.code} {one.subject})" for one in audit.findings]
        return [*(sentence for sentence, holds in checks.items() if not holds), *found]
