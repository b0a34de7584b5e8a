"""Say in rows why metered energy is not on a bill, and take it back in rows when it is billed after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.metering.session import Explanation, Reason

if TYPE_CHECKING:
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


def explain(work: UnitOfWork, session: Session, milliwatt_hours: int, reason: Reason, cause: str) -> None:
    """Explain so much energy of a session, over and above what was explained before. Nothing is written for nothing."""
    explained = work.explanations.by(session_id=session.session_id)
    missing = milliwatt_hours - sum(row.milliwatt_hours for row in explained)
    if missing == 0:
        return
    work.explanations.add(_row(work, session, missing, reason, cause, len(explained)))


def unexplain(work: UnitOfWork, session: Session, cause: str) -> None:
    """Take back all explanations of a session, each by a row of its own: it is going to be billed."""
    explained = work.explanations.by(session_id=session.session_id)
    sums: dict[Reason, int] = {}
    for row in explained:
        sums[row.reason] = sums.get(row.reason, 0) + row.milliwatt_hours
    for place, (reason, amount) in enumerate(sums.items()):
        if amount != 0:
            work.explanations.add(_row(work, session, -amount, reason, cause, len(explained) + place))


def _row(work: UnitOfWork, session: Session, amount: int, reason: Reason, cause: str, place: int) -> Explanation:
    return Explanation(
        explanation_id=work.draw.id(f"explanation/{session.session_id}/{place}"),
        session_id=session.session_id,
        evse_id=session.evse_id,
        milliwatt_hours=amount,
        reason=reason,
        cause=cause,
        created_at=work.machine_now,
    )
