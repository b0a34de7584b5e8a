"""Who may connect to the gateway, answered from memory: filled at the start, kept current by events, asked again on a miss."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.stations import STATIONS
from tallywatt.kernel.identity import OperatorId, StationId
from tallywatt.stations.credentials import StationCredential
from tallywatt.stations.station import StationState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.events import RecordedEvent

_stations, _operators = STATIONS.table, OPERATORS.table
_ALL = select(
    _stations.c.operator_id,
    _operators.c.slug,
    _stations.c.station_id,
    _stations.c.identity,
    _stations.c.state,
    _stations.c.key_hash,
).join_from(_stations, _operators, _stations.c.operator_id == _operators.c.operator_id)
_SLUGS = select(_operators.c.slug, _operators.c.operator_id)

CHANGES = frozenset(
    {"StationAdded", "StationKnocked", "StationAdopted", "StationRetired", "StationKeyChanged", "OperatorAdded"}
)
"""Events after which the table is read again."""


SECONDS_BETWEEN_MISSES = 1.0


class MemoryDirectory:
    """The credentials of all stations of an installation: some hundred bytes each, so 100,000 stations cost 30 MB."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading
        self._filling = threading.Lock()
        self._by_identity: dict[str, list[StationCredential]] = {}
        self._operators: dict[str, OperatorId] = {}
        self._filled_at = 0.0
        self.refill()

    def refill(self) -> None:
        """Read the whole table again."""
        with self._filling, self._reading() as connection:
            rows = connection.execute(compiled(_ALL, connection.dialect).sql)
            operators = {
                slug: OperatorId(one) for slug, one in connection.execute(compiled(_SLUGS, connection.dialect).sql)
            }
        found: dict[str, list[StationCredential]] = {}
        for operator, slug, station, identity, state, key_hash in rows:
            credential = StationCredential(
                OperatorId(operator), slug, StationId(station), identity, StationState(state), key_hash
            )
            found.setdefault(identity, []).append(credential)
        # Replaced as a whole: whoever reads meanwhile sees the old table or the new one.
        self._by_identity, self._operators = found, operators
        self._filled_at = time.monotonic()

    def note(self, events: Iterable[RecordedEvent]) -> None:
        """Follow what has happened."""
        if any(event.event.type in CHANGES for event in events):
            self.refill()

    def find(self, operator_slug: str | None, identity: str) -> StationCredential | None:
        """The station of an operator; without operator the only station of that id, else None."""
        found = self._by_identity.get(identity)
        if found is None and time.monotonic() - self._filled_at > SECONDS_BETWEEN_MISSES:
            # Another process may have added it a moment ago. Strangers who knock in a row do not make us read in a row.
            self.refill()
            found = self._by_identity.get(identity)
        found = found or []
        if operator_slug is not None:
            found = [one for one in found if one.operator_slug == operator_slug]
        return found[0] if len(found) == 1 else None

    def operator_for_unknown(self, operator_slug: str | None) -> OperatorId | None:
        """Whose quarantine an unknown station enters: the named operator, or the only one there is."""
        if operator_slug is not None:
            return self._operators.get(operator_slug)
        return next(iter(self._operators.values())) if len(self._operators) == 1 else None
