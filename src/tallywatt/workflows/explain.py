"""Say in rows why metered energy is not on a bill, and take it back in rows when it is billed after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.metering.session import Explanation, Reason

if TYPE_CHECKING:
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork


def explain(work: UnitOfWork, session: Session, milliwatt_hours: int, reason: Reason, cause: str) -> None:
    """Explain so much energy of a session by one reason, taking back what others explained. Nothing is written for nothing."""
    sums, count = _explained(work, session)
    wanted = {**dict.fromkeys(sums, 0), reason: milliwatt_hours}
    for place, (one, amount) in enumerate(wanted.items(), count):
        if amount != sums.get(one, 0):
            work.explanations.add(_row(work, session, amount - sums.get(one, 0), one, cause, place))


def unexplain(work: UnitOfWork, session: Session, cause: str) -> None:
    """Take back all explanations of a session, each by a row of its own: it is going to be billed."""
    sums, count = _explained(work, session)
    for place, (reason, amount) in enumerate(sums.items(), count):
        if amount != 0:
            work.explanations.add(_row(work, session, -amount, reason, cause, place))


def _explained(work: UnitOfWork, session: Session) -> tuple[dict[Reason, int], int]:
    """What is explained of a session by reason, and by how many rows."""
    rows = work.explanations.by(session_id=session.session_id)
    sums: dict[Reason, int] = {}
    for row in rows:
        sums[row.reason] = sums.get(row.reason, 0) + row.milliwatt_hours
    return sums, len(rows)


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
