"""Pure: the energy of a session that runs, one register after the other, where `measure` would say the same of them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallywatt.metering.measure import measure
from tallywatt.metering.metered import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallywatt.kernel.clock import Instant
    from tallywatt.metering.session import MeterReading


class Growing:
    """A curve to which registers are added as they come, as long as they come in order and do not fall."""

    def __init__(self, started_at: Instant, meter_start: int | None, samples: Sequence[MeterReading]) -> None:
        measured = measure(started_at, meter_start, samples, None, None)
        self.curve = measured.curve
        last = max((one for one in samples if one.register >= 0), key=_order, default=None)
        # What fell may turn out to have been a dropout: only all readings together tell.
        self._can_grow = bool(measured.curve) and not set(measured.flags) - {"no_meter_start"}
        self._last = (started_at, meter_start or 0) if last is None else _order(last)
        self._register = meter_start if last is None else last.register
        self._energy = measured.milliwatt_hours
        self._at = measured.curve[-1].at if measured.curve else started_at

    def grow(self, samples: Sequence[MeterReading]) -> tuple[Reading, ...] | None:
        """What the curve grows by. None: these change what was known before, and all have to be measured together."""
        found: list[Reading] = []
        for sample in sorted(samples, key=_order):
            if sample.register < 0:
                continue
            if not self._can_grow or self._register is None or _order(sample) < self._last:
                return None
            if sample.register < self._register:
                return None
            self._energy += sample.register - self._register
            self._at = max(self._at, sample.occurred_at)
            self._last, self._register = _order(sample), sample.register
            found.append(Reading(self._at, self._energy, sample.watts))
        return tuple(found)


def _order(sample: MeterReading) -> tuple[int, int]:
    return sample.occurred_at, sample.register
