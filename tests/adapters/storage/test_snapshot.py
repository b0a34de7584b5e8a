"""Figures that are compared are of one moment, whatever is written meanwhile."""

from __future__ import annotations

import pytest

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.migrations import upgrade

COUNT = "SELECT last_position FROM sequencer WHERE name = 'events'"
MOVE = "UPDATE sequencer SET last_position = last_position + 1 WHERE name = 'events'"


def test_a_snapshot_sees_nothing_of_what_is_written_meanwhile(engine_url: str) -> None:
    """An account that appears between two sums of one page made the page fail."""
    upgrade(engine_url)
    reader, writer = connect(engine_url, read_only=True), connect(engine_url)
    reader.snapshot()
    before = reader.execute(COUNT)
    writer.begin()
    writer.change(MOVE)
    writer.commit()

    reader.snapshot()  # asked for again inside of one, it stays the same one
    assert reader.execute(COUNT) == before
    reader.rollback()
    assert reader.execute(COUNT) == [(before[0][0] + 1,)]
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        reader.change(MOVE)
    reader.close()
    writer.close()
