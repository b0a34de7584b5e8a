"""Who is connected: the newest socket of a station wins, and only a socket itself signs off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from tallywatt.kernel.clock import Instant
    from tallywatt.kernel.identity import OperatorId, StationId


@dataclass(frozen=True, slots=True)
class Seen:
    """A connected station at the moment of the question. Heartbeats are kept here and nowhere else."""

    station_id: StationId
    operator_id: OperatorId
    identity: str
    protocol: str
    remote_address: str
    connected_at: Instant
    last_heard_at: Instant
    """Machine time of the last frame of any kind."""


class Socket(Protocol):
    """What the registry must know of a connection."""

    station_id: StationId | None

    def seen(self) -> Seen:
        """This station as the snapshot shows it."""
        ...


S = TypeVar("S", bound=Socket)


class Registry(Generic[S]):
    """The connections of this process. Changed on the loop alone; read from any thread."""

    def __init__(self) -> None:
        self._stations: dict[str, S] = {}
        self._everyone: dict[S, None] = {}
        self._quarantined: set[S] = set()

    def arrive(self, connection: S, *, quarantined: bool) -> None:
        """A socket has opened."""
        self._everyone[connection] = None
        if quarantined:
            self._quarantined.add(connection)

    def take_place(self, station_id: StationId, connection: S) -> S | None:
        """From now on this is the station's socket; the one that was it until now, to be closed."""
        before = self._stations.get(station_id)
        self._stations[station_id] = connection
        return None if before is connection else before

    def admit(self, connection: S) -> None:
        """A station in quarantine was adopted."""
        self._quarantined.discard(connection)

    def leave(self, connection: S) -> None:
        """A socket has closed. If a newer one has taken its place, that one stays."""
        self._everyone.pop(connection, None)
        self._quarantined.discard(connection)
        station_id = connection.station_id
        if station_id is not None and self._stations.get(station_id) is connection:
            del self._stations[station_id]

    def of(self, station_id: str) -> S | None:
        """The socket of a station."""
        return self._stations.get(station_id)

    def everyone(self) -> list[S]:
        """All sockets, those in quarantine too."""
        return list(self._everyone)

    @property
    def quarantined(self) -> int:
        """How many sockets are in quarantine."""
        return len(self._quarantined)

    def adopted_ids(self) -> frozenset[str]:
        """Ids of the stations that can be sent a command."""
        # list() of a dict's items is one step of the interpreter, so that another thread may ask at any time.
        return frozenset(one for one, connection in list(self._stations.items()) if connection not in self._quarantined)

    def seen(self) -> tuple[Seen, ...]:
        """Everybody who is connected, as a snapshot."""
        return tuple(one.seen() for one in list(self._stations.values()))
