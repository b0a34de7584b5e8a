"""The simulator's own clock: a day in about a minute. Only the simulator compresses time; the facts keep their own."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

SHARE_BY_TIME = 0.35
"""The rest is shared out by how much happens: nights are short, and rush hours can be watched."""


class Pace:
    """Where an instant of the day lies in the play, in seconds."""

    def __init__(self, moments: Iterable[Instant], seconds: float) -> None:
        self._moments = sorted(set(moments))
        assert self._moments, "a day without a moment cannot be played"
        self._seconds = seconds
        first, last = self._moments[0], self._moments[-1]
        lasted, count = max(1, last - first), max(1, len(self._moments) - 1)
        self._positions = [
            seconds * (SHARE_BY_TIME * (moment - first) / lasted + (1 - SHARE_BY_TIME) * index / count)
            for index, moment in enumerate(self._moments)
        ]
        self._began: float | None = None

    def begin(self) -> None:
        """Let the day begin now."""
        self._began = asyncio.get_running_loop().time()

    def position(self, at: Instant) -> float:
        """The second of the play at which that instant comes."""
        return _interpolated(at, self._moments, self._positions)

    def present(self) -> Instant:
        """The instant of the day that the play has reached."""
        return Instant(int(_interpolated(self._elapsed(), self._positions, self._moments)))

    async def until(self, at: Instant) -> None:
        """Wait for that instant; what lies behind already comes at once."""
        await asyncio.sleep(max(0.0, self.position(at) - self._elapsed()))

    def _elapsed(self) -> float:
        assert self._began is not None, "the day has not begun"
        return asyncio.get_running_loop().time() - self._began


def _interpolated(value: float, xs: list[Instant] | list[float], ys: list[Instant] | list[float]) -> float:
    """The height of a rising line of points at `value`; flat outside of them."""
    after = bisect_right(xs, value)
    if after == 0:
        return ys[0]
    if after == len(xs):
        return ys[-1]
    left, right = xs[after - 1], xs[after]
    return ys[after - 1] + (ys[after] - ys[after - 1]) * (value - left) / (right - left)
