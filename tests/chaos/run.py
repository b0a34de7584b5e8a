"""A round: everything moves in, the stations play while the plan is carried out, peace comes, and the truth is looked up."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tallywatt.adapters.machine import MachineClock
from tallywatt.adapters.storage.connections import connect, database_errors
from tests.chaos.scene import Scene
from tests.chaos.verdict import Records, broken_truths, figures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.plan import Plan

PLAY_SECONDS: Final = 400.0
"""How long after the last act the stations may take to come to rest."""
SETTLE_SECONDS: Final = 180.0
LOOK_SECONDS: Final = 0.5
STILL_TO_DO: Final = "SELECT count(*) FROM jobs WHERE state IN ('ready', 'leased')"
HURRY: Final = "UPDATE jobs SET run_at = {now} WHERE state = 'ready' AND run_at > {now}"
"""In peace nobody waits for backoffs and for drivers who never came: what is due in an hour is due now."""
GONE: Final = """UPDATE station_commands SET deadline_at = {now}
    WHERE state IN ('requested', 'sent', 'accepted') AND deadline_at > {now}"""
"""Nor for an answer of a station that has gone home, or that answered a server which had died by then."""


@dataclass(frozen=True)
class Outcome:
    """What came of a round."""

    plan: Plan
    broken: tuple[str, ...]
    figures: dict[str, Any]
    seconds: float
    records: Records
    notes: tuple[str, ...] = field(default=())
    """What is worth a word, and no fault: servers that a supervisor had to start again, drivers who gave up."""


def play(plan: Plan, folder: Path, database_url: str | None, say: Callable[[str], None]) -> Outcome:
    """One round. The folder holds the database of SQLite, the provider's and the meters' files, and all logs."""
    began = time.monotonic()

    def tell(text: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {text}")

    scene = Scene(plan, folder, database_url, tell)
    broken: list[str] = []
    try:
        scene.move_in()
        scene.start_servers()
        scene.start_site()
        tell(f"moved in, the stations begin; pauses are {scene.slowness:.1f} times as long as planned")
        for act in plan.acts:
            time.sleep(act.after * scene.slowness)
            scene.revive()
            scene.do(act)
            tell(f"{str(act).partition('s  ')[2]:<60} {scene.progress()}")
        broken += _rest(scene, tell)
        broken += scene.stop_servers()
        assert scene.psp is not None, "it was started"
        scene.psp.stop()
        broken += broken_truths(scene.records)
        counted = figures(scene.records)
    finally:
        scene.close()
    broken += _deaths(scene)
    return Outcome(
        plan=plan,
        broken=tuple(broken),
        figures=counted | {"kills": scene.kills},
        seconds=time.monotonic() - began,
        records=scene.records,
        notes=tuple(_notes(scene)),
    )


def _rest(scene: Scene, tell: Callable[[str], None]) -> list[str]:
    """Peace: nothing goes wrong any more, the stations tell what they still have, the workers do what is still to do."""
    scene.heal()
    tell(f"peace; {scene.progress()}")
    deadline = time.monotonic() + scene.plan.size.seconds * scene.slowness + PLAY_SECONDS
    while scene.playing and time.monotonic() < deadline:
        scene.revive()
        time.sleep(LOOK_SECONDS)
    if scene.playing:
        return [f"the stations were still playing in the end: {scene.progress()}"]
    tell(f"the stations are at rest; {scene.progress()}")
    deadline = time.monotonic() + SETTLE_SECONDS
    left = 1
    while left and time.monotonic() < deadline:
        scene.revive()
        left = _hurry(scene)
        time.sleep(LOOK_SECONDS)
    tell("everything is done" if not left else f"{left} jobs are still to do")
    return []


def _hurry(scene: Scene) -> int:
    """Let time pass for what waits; how much there is still to do."""
    try:
        connection = connect(scene.settings.url)
    except database_errors():
        return 1
    try:
        connection.begin()
        for hurry in (GONE, HURRY):
            connection.change(hurry.format(now=MachineClock().now()))
        connection.commit()
        [(left,)] = connection.execute(STILL_TO_DO)
    except database_errors():
        return 1
    finally:
        connection.close()
    return int(left)


def _deaths(scene: Scene) -> list[str]:
    """On SQLite nothing but a kill ends a server. On PostgreSQL one that cannot reach its database may give up its start."""
    if scene.proxy is not None:
        return []
    return [f"a server ended by itself: {one}" for one in scene.ended_by_themselves]


def _notes(scene: Scene) -> list[str]:
    notes = []
    if scene.ended_by_themselves:
        notes.append(f"{len(scene.ended_by_themselves)} servers gave up and were started again")
    gone = scene.heard.get("done", {}).get("not_played", [])
    if gone:
        notes.append(f"{len(gone)} drivers gave up before they could pay")
    return notes
