"""Who may connect to the gateway, answered from memory: filled at the start, kept current by events, asked again on a miss."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.certificates import AUTHORITIES, STATION_CERTIFICATES
from tallywatt.adapters.storage.tables.customers import OPERATORS
from tallywatt.adapters.storage.tables.key_changes import KEY_CHANGES
from tallywatt.adapters.storage.tables.profile_changes import PROFILE_CHANGES
from tallywatt.adapters.storage.tables.stations import STATIONS
from tallywatt.kernel.identity import OperatorId, StationId
from tallywatt.stations.certificates import CertificateState
from tallywatt.stations.credentials import StationCredential
from tallywatt.stations.profile_change import OVER, ProfileState
from tallywatt.stations.station import StationState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.kernel.events import RecordedEvent

_stations, _operators, _changes = STATIONS.table, OPERATORS.table, KEY_CHANGES.table
_moves = PROFILE_CHANGES.table
_ALL = select(
    _stations.c.operator_id,
    _operators.c.slug,
    _stations.c.station_id,
    _stations.c.identity,
    _stations.c.state,
    _stations.c.key_hash,
    _stations.c.security_profile,
    _stations.c.preferred_protocol,
    _changes.c.key_hash,
    _moves.c.wanted,
    _moves.c.state,
).select_from(
    _stations.join(_operators, _stations.c.operator_id == _operators.c.operator_id)
    .outerjoin(
        _changes,
        and_(
            _changes.c.operator_id == _stations.c.operator_id,
            _changes.c.station_id == _stations.c.station_id,
        ),
    )
    .outerjoin(
        _moves,
        and_(_moves.c.operator_id == _stations.c.operator_id, _moves.c.station_id == _stations.c.station_id),
    )
)
_certificates, _authorities = STATION_CERTIFICATES.table, AUTHORITIES.table
_FINGERPRINTS = select(_certificates.c.operator_id, _certificates.c.station_id, _certificates.c.fingerprint).where(
    _certificates.c.state == CertificateState.ISSUED.value
)
_AUTHORITIES = select(_authorities.c.certificate).order_by(_authorities.c.created_at)
_SLUGS = select(_operators.c.slug, _operators.c.operator_id)

CHANGES = frozenset(
    {
        "StationAdded",
        "StationKnocked",
        "StationAdopted",
        "StationRetired",
        "StationKeyChanged",
        "OperatorAdded",
        "StationCertificateIssued",
        "StationCertificateRevoked",
        "AuthorityPut",
    }
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
        self.authorities: tuple[str, ...] = ()
        """Certificates of the authorities that are trusted, in PEM."""
        self.refill()

    def refill(self) -> None:
        """Read the whole table again."""
        with self._filling, self._reading() as connection:
            rows = connection.execute(compiled(_ALL, connection.dialect).sql)
            operators = {
                slug: OperatorId(one) for slug, one in connection.execute(compiled(_SLUGS, connection.dialect).sql)
            }
            issued = compiled(_FINGERPRINTS, connection.dialect)
            shown: dict[tuple[str, str], set[str]] = {}
            for operator, station, print_ in connection.execute(issued.sql, issued.bind({})):
                shown.setdefault((operator, station), set()).add(print_)
            authorities = [one for (one,) in connection.execute(compiled(_AUTHORITIES, connection.dialect).sql)]
        found: dict[str, list[StationCredential]] = {}
        for operator, slug, station, identity, state, key_hash, profile, protocol, next_key_hash, wanted, move in rows:
            credential = StationCredential(
                OperatorId(operator), slug, StationId(station), identity, StationState(state), key_hash,
                profile, protocol, frozenset(shown.get((operator, station), ())), next_key_hash,
                None if move is None or ProfileState(move) in OVER else wanted,
            )  # fmt: skip
            found.setdefault(identity, []).append(credential)
        # Replaced as a whole: whoever reads meanwhile sees the old table or the new one.
        self._by_identity, self._operators = found, operators
        self.authorities = tuple(authorities)
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
