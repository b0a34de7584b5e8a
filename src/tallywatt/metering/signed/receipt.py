"""Pure: the file with which a customer checks a session: what its meter signed, for the official transparency software."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.metering.signed import alfen, ocmf
from tallywatt.metering.signed.container import Value, write_container
from tallywatt.metering.signed.record import BEGINS, ENDS
from tallywatt.metering.signed.registry import of_one_transaction
from tallywatt.metering.signed.unwrap import unwrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tallywatt.metering.signed.record import SignedRecord

VERIFIED = frozenset({ocmf.NAME, alfen.NAME})


def receipt(texts: Iterable[str], key: str | None, transaction_id: str | None) -> str | None:
    """A container with the start and the end of a transaction, each to the letter; None where nothing was signed.

    `key` is the meter's as the registry has it: whoever checks compares it with the one on the meter.
    """
    records = [record for text in texts for record in unwrap(text).records if record.format in VERIFIED]
    chosen = of_one_transaction(records)
    if not chosen:
        return None
    # The software counts by a number; only OCPP 1.6 has one.
    number = transaction_id if transaction_id is not None and transaction_id.isdecimal() else "1"
    return write_container(
        Value(one.text.strip(), one.format, None, key or one.delivered_key, _context(one), number) for one in chosen
    )


def _context(record: SignedRecord) -> str | None:
    purposes = {one.purpose for one in record.readings if one.purpose}
    if purposes & ENDS:
        return "Transaction.End"
    return "Transaction.Begin" if purposes & BEGINS else None
