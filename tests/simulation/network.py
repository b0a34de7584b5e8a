"""The line between a station and the house: in order while it holds, slow at times, and cut at any moment.

A cut line loses what is on its way in both directions, the house's answers too; and one side may not notice it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from picows import WSMsgType

from tests.simulation.world import SECOND

if TYPE_CHECKING:
    from random import Random

    from tallywatt.adapters.ocpp.connection import Connection
    from tests.simulation.house import LivingHouse
    from tests.simulation.world import World


class Caller(Protocol):
    """Whoever is at the station's end."""

    def hear(self, line: Line, text: bytes) -> None:
        """A message has come."""
        ...

    def hung_up(self, line: Line) -> None:
        """The line is dead, and it is noticed."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole text frame, as the socket's library hands it over."""

    payload: bytes
    msg_type: Any = WSMsgType.TEXT
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    def get_payload_as_bytes(self) -> bytes:
        """The text."""
        return self.payload


class Line:
    """One socket, seen from both ends."""

    def __init__(self, world: World, house: LivingHouse, connection: Connection, caller: Caller, luck: Random) -> None:
        self._world = world
        self._house = house
        self._connection = connection
        self._caller = caller
        self._luck = luck
        self._last_up: int = world.now
        self._last_down: int = world.now
        self.holds = True
        self._left = False
        connection.on_ws_connected(Transport(self))  # type: ignore[arg-type]  # as much of a transport as is used
        house.stir()

    # --- what goes over it ---

    def up(self, text: bytes) -> None:
        """The station says something."""
        self._last_up = max(self._last_up, self._world.now + self._pause())
        if self._luck.random() < self._world.loss:
            # Just before it arrives, or with the answer on its way.
            self._world.at(
                self._last_up + self._luck.randrange(-20, 60), lambda: self.cut(noticed=self._luck.random() < 0.5)
            )

        def arrive() -> None:
            if self.holds and self._house.alive:
                self._house.mortality.hears(text.decode())
                self._connection.on_ws_frame(None, Frame(text))  # type: ignore[arg-type]  # as much of a frame as is used
                self._house.stir()

        self._world.at(self._last_up, arrive)

    def down(self, text: bytes) -> None:
        """The house says something."""
        self._last_down = max(self._last_down, self._world.now + self._pause())
        self._world.at(self._last_down, lambda: self._caller.hear(self, text) if self.holds else None)

    def _pause(self) -> int:
        slow = self._luck.random()
        if slow < self._world.loss:
            return self._luck.randrange(40 * SECOND)  # longer than a station's patience
        return self._luck.randrange(2 * SECOND) if slow < 0.05 else self._luck.randrange(2, 60)

    # --- its end ---

    def cut(self, *, noticed: bool) -> None:
        """It is dead. The house finds out sooner or later; the station at once, or by its own patience."""
        if not self.holds:
            return
        self.holds = False
        if noticed:
            self._world.after(self._luck.randrange(SECOND), lambda: self._caller.hung_up(self))
        self._world.after(self._luck.randrange(90 * SECOND), self.leave)

    def leave(self) -> None:
        """The house finds out."""
        if not self._left and self._house.alive:
            self._left = True
            self._connection.on_ws_disconnected(None)  # type: ignore[arg-type]  # it is not looked at


class Transport:
    """What the connection takes for its socket."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def underlying_transport(self) -> Transport:
        """The same."""
        return self

    def get_extra_info(self, _: str) -> tuple[str, int]:
        """Where the station is."""
        return ("192.0.2.1", 1)

    def send(self, _: object, text: bytes) -> None:
        """A message to the station."""
        if self._line.holds:
            self._line.down(text)

    def send_close(self, *_: object) -> None:
        """Goodbye."""
        self._line.cut(noticed=True)

    def abort(self) -> None:
        """Cut it, and know it."""
        self._line.cut(noticed=True)
        self._line.leave()

    disconnect = abort

    def send_ping(self, *_: object) -> None:
        """Not needed: the watch over silent sockets does not run here."""

    send_pong = pause_reading = resume_reading = send_ping
