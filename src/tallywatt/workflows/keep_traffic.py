"""Messages between stations and us go into the log: sealed, in chunks, a little after they were said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallywatt.stations.traffic import Chunk, MessageChunk

if TYPE_CHECKING:
    from tallywatt.workflows.ports import UnitOfWork

TRAFFIC: Final = "traffic"
"""The class of sealed data to which the log belongs."""


@dataclass(frozen=True, slots=True)
class KeepTraffic:
    """Chunks of stations of one operator, packed and without secrets."""

    chunks: tuple[Chunk, ...]


def keep_traffic(work: UnitOfWork, command: KeepTraffic) -> int:
    """Seal and store chunks; how many messages they hold."""
    rows = []
    for number, chunk in enumerate(command.chunks):
        name = f"{chunk.station_id}/{number}"
        key_id, sealed = work.vault.seal(TRAFFIC, name, chunk.packed)
        rows.append(
            MessageChunk(
                work.draw.id(f"chunk/{name}"),
                chunk.station_id,
                chunk.first_at,
                chunk.last_at,
                chunk.messages,
                chunk.actions,
                chunk.transactions,
                key_id,
                sealed,
            )
        )
    work.message_chunks.note(tuple(rows))
    return sum(chunk.messages for chunk in command.chunks)
