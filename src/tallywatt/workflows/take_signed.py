"""What a meter has signed enters a session: each record once, to the letter, before anybody judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.kernel.card_numbers import card_number_in, hide_card_numbers
from tallywatt.kernel.identity import natural_key
from tallywatt.metering.session import SessionState
from tallywatt.metering.signed.registry import SignedValue
from tallywatt.metering.signed.unwrap import unwrap
from tallywatt.workflows.jobs import Job

if TYPE_CHECKING:
    from tallywatt.kernel.identity import FrameId
    from tallywatt.metering.facts import Heard, SignedSample
    from tallywatt.metering.session import Session
    from tallywatt.workflows.ports import UnitOfWork

MOST_A_MESSAGE = 200
"""More records in one message are an attack."""


def take_signed(
    work: UnitOfWork, session: Session, signed: tuple[SignedSample, ...], heard: Heard, frame_id: FrameId
) -> None:
    """Keep the records. A session that waits for a proof is judged anew, once its transaction is through."""
    if not signed:
        return
    values = [value for one in signed[:MOST_A_MESSAGE] for value in _values(session, one, heard, frame_id)]
    work.signed_values.note(values)
    if session.state is SessionState.HELD:
        work.jobs.add(Job("prove_session", session.session_id))


def _values(session: Session, sample: SignedSample, heard: Heard, frame_id: FrameId) -> list[SignedValue]:
    found = unwrap(sample.data)
    told = [(one.format, one.text, one.delivered_key, one.user) for one in found.records]
    if not told:
        told = [(found.format, sample.data, None, None)]
    values = []
    for name, text, inside, user in told:
        if user is not None and card_number_in(user) is not None:
            # No card number is kept, also where it costs the signature.
            text, _ = hide_card_numbers(text)  # noqa: PLW2901  # the record as it may be kept
        values.append(
            SignedValue(
                session.session_id,
                natural_key(name, text.strip()),
                sample.at,
                heard.received_at,
                frame_id,
                sample.context,
                name,
                text,
                inside or sample.public_key,
            )
        )
    return values
