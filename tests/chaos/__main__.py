"""`make chaos SEED=7 MINUTES=60 ENGINE=postgresql`: real processes, killed and misled as the plan of the seed says."""

from __future__ import annotations

import argparse
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from tests.chaos.plan import FULL, SMALL, Engine, plan_of
from tests.chaos.run import Outcome, play
from tests.parts import PARTS
from tests.postgresql import fresh_database, postgresql_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.plan import Plan

ROUND_SECONDS = 1800
"""Longer than any round takes: one that hangs is ended, and has failed."""
MOST_SAID = 40


def main() -> int:
    """Play rounds; 1 when any of them fails."""
    asked = _asked()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    # Whoever ends this by SIGTERM wants the processes ended, too.
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGALRM, _too_long)
    engines = list(Engine) if asked.engine == "both" else [Engine(asked.engine)]
    if Engine.POSTGRESQL in engines and PARTS["postgresql"].find() is None:
        _say("PostgreSQL is not here (apt install postgresql); on SQLite: make chaos ENGINE=sqlite")
        return 2
    deadline = time.monotonic() + asked.minutes * 60
    seed, rounds, failed = asked.seed, 0, 0
    while not rounds or time.monotonic() < deadline:
        for engine in engines:
            rounds += 1
            failed += _round(plan_of(seed, engine, SMALL if asked.small else FULL), asked.keep)
            if rounds >= len(engines) and time.monotonic() >= deadline:
                break
        seed += 1
    _say(f"\n{rounds} rounds, seeds {asked.seed} to {seed - 1}: {failed} failed")
    return 1 if failed else 0


def _asked() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    reader.add_argument("--seed", type=int, default=1, help="the first plan; later rounds take the next ones")
    reader.add_argument("--minutes", type=float, default=0, help="play rounds until so much time is over; 0: one round")
    reader.add_argument("--engine", choices=[*Engine, "both"], default="both")
    reader.add_argument("--small", action="store_true", help="the size that the tests play")
    reader.add_argument("--keep", action="store_true", help="keep the folder also of a round that went well")
    return reader.parse_args()


def _round(plan: Plan, keep: bool) -> int:
    """One round, and what is to be said about it; 1 when it failed."""
    _say(f"\n{plan}\n")
    folder = Path(tempfile.mkdtemp(prefix=f"tallywatt-chaos-{plan.seed}-{plan.engine}-"))
    signal.alarm(ROUND_SECONDS)
    try:
        with _database(plan) as url:
            try:
                failed = _report(play(plan, folder, url, _say))
            except Exception:
                _keep_database(url, folder)
                raise
            if failed:
                _keep_database(url, folder)
    except Exception as error:  # whatever it is, this round has failed and the next one may be played
        logging.getLogger(__name__).exception("the round broke off")
        _say(f"FAILED: the round broke off: {error!r}")
        failed = True
    finally:
        signal.alarm(0)
    if failed or keep:
        _say(f"  files: {folder} (logs/, psp.jsonl: the provider, site.jsonl: the meters)")
        _say(f"  again: make chaos SEED={plan.seed} ENGINE={plan.engine}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


@contextmanager
def _database(plan: Plan) -> Iterator[str | None]:
    """A PostgreSQL server of the round's own, since a round may crash it; None for SQLite, whose file is in the folder."""
    if plan.engine is Engine.SQLITE:
        yield None
        return
    found = PARTS["postgresql"].find()
    assert found is not None, "looked for before the first round"
    with postgresql_server(found) as server, fresh_database(server, "chaos") as url:
        yield url


def _keep_database(url: str | None, folder: Path) -> None:
    """The database of a round that failed, as a dump: its server ends with the round."""
    found, dumper = PARTS["postgresql"].find(), shutil.which("pg_dump")
    if url is None or found is None:
        return
    beside = found.resolve().with_name("pg_dump")
    dumper = str(beside) if beside.exists() else dumper
    if dumper is not None:
        subprocess.run([dumper, "--dbname", url, "--file", str(folder / "database.sql")], check=False, timeout=120)


def _report(outcome: Outcome) -> bool:
    """What came of a round, for people; whether it failed."""
    counted = outcome.figures
    _say(
        f"\n  {counted['sessions']} sessions, {counted['kwh']} kWh, {counted['holds']} holds, {counted['taps']} of them at"
        f" card readers, {counted['invoices']} invoices, {counted['pence'] / 100:.2f} GBP captured,"
        f" {counted['kills']} kills, {outcome.seconds:.0f} s"
    )
    for note in outcome.notes:
        _say(f"  {note}")
    if not outcome.broken:
        _say("  Everything adds up: with the stations' meters and with the provider's file, one by one and in all.")
        return False
    _say(f"  FAILED: {len(outcome.broken)} things are not as they must be:")
    for one in outcome.broken[:MOST_SAID]:
        _say(f"    {one}")
    if len(outcome.broken) > MOST_SAID:
        _say(f"    and {len(outcome.broken) - MOST_SAID} more")
    return True


def _stop(*_: object) -> None:
    """Once: whoever asks twice must not break off the tidying up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _too_long(*_: object) -> None:
    msg = f"a round takes less than {ROUND_SECONDS} s; this one was ended"
    raise TimeoutError(msg)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
