"""The day that is played: so many stations, so many sessions each, drawn from the seed; in the form that the site reads."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from tallywatt.entrypoints.cli.demo.provision import PARKING_IS_PRICED_AT
from tallywatt.kernel.clock import Instant, parse_instant
from tallywatt.simulators.site.sample import Row

if TYPE_CHECKING:
    from tests.chaos.plan import Plan

MORNING: Final = parse_instant("2018-08-24T06:00:00Z")
MINUTE: Final = 60_000
SITES: Final = (*PARKING_IS_PRICED_AT, "Greenmarket Multi Car Park, Dundee")
PAYS_AD_HOC: Final = 0.15
LEAST_WH, MOST_WH = 2_000, 38_000


def rows_of(plan: Plan) -> tuple[Row, ...]:
    """Every station's sessions, one after the other on one or two connectors; every seventh driver has no contract."""
    chance = Random(f"day/{plan.seed}")
    drivers = max(4, plan.size.stations // 3)
    rows: list[Row] = []
    for station in range(plan.size.stations):
        at = Instant(MORNING + chance.randrange(0, 90) * MINUTE)
        connectors = chance.choice((1, 1, 2))
        current, kilowatts = chance.choice((("ac", 22), ("ac", 22), ("dc", 50)))
        for session in range(plan.size.sessions):
            minutes = chance.randrange(25, 150)
            end = Instant(at + minutes * MINUTE)
            most = min(MOST_WH, kilowatts * 1000 * minutes * 7 // 600)
            known = chance.random() >= PAYS_AD_HOC
            rows.append(
                Row(
                    id=f"{plan.seed}-{station}-{session}",
                    driver=f"driver-{chance.randrange(drivers)}" if known else None,
                    station=f"ST{station:03d}",
                    connector=1 + session % connectors,
                    started_at=at,
                    ended_at=end,
                    milliwatt_hours=chance.randrange(LEAST_WH, most) * 1000,
                    site=SITES[station % len(SITES)],
                    model="APT Triple Rapid Charger",
                    current=current,
                    max_kw=kilowatts,
                )
            )
            at = Instant(end + chance.randrange(5, 40) * MINUTE)
    return tuple(sorted(rows, key=lambda row: (row.started_at, row.station, row.connector)))
