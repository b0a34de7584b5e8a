"""Every branch of the room that prices is reached by its own tests: a whole run that counts them fails if one is left out."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from coverage import Coverage

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]
ROOM = "src/tallywatt/rating/*"
NAME = "tallywatt.rating"
TESTS = ROOT / "tests/rating"


def branches_left_out() -> str:
    """What no test of the last whole run has reached in the room, as a table; empty when there is nothing."""
    measured = Coverage(data_file=str(ROOT / ".coverage"), config_file=str(ROOT / "pyproject.toml"))
    measured.load()
    told = StringIO()
    percent = measured.report(include=[ROOM], file=told, show_missing=True, skip_covered=True)
    return "" if percent >= 100 else told.getvalue()


def count_those_of_the_room(item: pytest.Item) -> None:
    """Where its branches alone are counted, count while its own tests run: counting slows all others down by a third."""
    controller = getattr(item.config.pluginmanager.get_plugin("_cov"), "cov_controller", None)
    if controller is None or item.config.option.cov_source != [NAME]:
        return
    is_of_room = item.path.is_relative_to(TESTS)
    if is_of_room and not controller.started:
        _forget()
        controller.resume()
    elif controller.started and not is_of_room:
        controller.pause()


def _forget() -> None:
    """What the room remembers was worked out uncounted."""
    for name, module in list(sys.modules.items()):
        if name.startswith(NAME):
            for one in vars(module).values():
                if hasattr(one, "cache_clear"):
                    one.cache_clear()


def is_whole_run(config: pytest.Config) -> bool:
    """Whether all tests run, with coverage, and this is the process that has all of it in the end."""
    whole = config.args_source is config.ArgsSource.TESTPATHS and not config.option.keyword and not config.option.lf
    return whole and bool(getattr(config.option, "cov_source", None)) and not hasattr(config, "workerinput")
