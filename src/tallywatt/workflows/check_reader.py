"""A reader that was added is looked for at its provider: a slip of the pen in its name would be found by drivers first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.kernel.errors import BadInput, NotFound
from tallywatt.payments.provider import KnowsReaders
from tallywatt.workflows.listen import settle, to_inbox
from tallywatt.workflows.note_reader import READER_FAILING, open_items

if TYPE_CHECKING:
    from tallywatt.payments.account import ProviderAccount
    from tallywatt.payments.reader import Reader
    from tallywatt.workflows.ports import UnitOfWork

UNKNOWN_THERE: Final = "reader_unknown"


@dataclass(frozen=True, slots=True)
class ReaderLook:
    """A reader, and where it is looked for."""

    reader: Reader
    account: ProviderAccount


def refuse_unknown(provider: object, reader_ref: str) -> None:
    """BadInput for a reader that its provider does not know; one that it cannot be asked about now is looked for later."""
    if isinstance(provider, KnowsReaders) and provider.knows_reader(reader_ref) is False:
        msg = f"the provider knows no card reader {reader_ref} of this account"
        raise BadInput(
            msg, code="readers.unknown_there", remedy="take its name from the provider's own list of readers"
        )


def reader_to_check(work: UnitOfWork, reader_id: str) -> ReaderLook | None:
    """Where to look for a reader; None when it serves nobody any more. Writes nothing."""
    reader = work.readers.find(reader_id)
    if reader is None:
        msg = "there is no such reader"
        raise NotFound(msg, code="readers.not_found")
    account = work.provider_accounts.get(reader.account_id)
    return None if reader.removed_at is not None or account.closed_at is not None else ReaderLook(reader, account)


@dataclass(frozen=True, slots=True)
class ReaderSeen:
    """What the provider says of a reader."""

    reader_id: str
    is_known: bool


def take_reader_seen(work: UnitOfWork, command: ReaderSeen) -> Reader:
    """One that its provider does not know comes before a person, once; one that it knows after all is off that list."""
    reader = work.readers.lock(command.reader_id)
    waiting = [one for one in open_items(work, reader.reader_id) if (one.detail or {}).get("code") == UNKNOWN_THERE]
    if command.is_known:
        for item in waiting:
            settle(work, item, "its provider knows it")
    elif not waiting and reader.removed_at is None:
        provider = work.provider_accounts.get(reader.account_id).provider
        summary = f"{provider} knows no card reader {reader.reader_ref} of this account ({reader.label})"
        detail = {"reader_id": reader.reader_id, "code": UNKNOWN_THERE}
        to_inbox(work, READER_FAILING, summary, UNKNOWN_THERE, reader.reader_id, detail=detail)
    return reader
