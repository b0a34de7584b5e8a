"""What every test may ask for: a database of either engine; and what a skip means where all parts must be here."""

from __future__ import annotations

import gc
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.coverage_of_rating import branches_left_out, count_those_of_the_room, is_whole_run
from tests.in_memory import keep_in_memory
from tests.parts import REQUIRE_ALL, part
from tests.postgresql import fresh_database, postgresql_server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

# The machine is shared and its speed says nothing about the code; a failing example prints how to get it again.
settings.register_profile("house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
keep_in_memory()

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

_numbers = count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all parts must be here, a skipped test is a failed one."""
    report = yield
    return _strict(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself while it is read."""
    report = yield
    return _strict(report)


def _strict(report: Report) -> Report:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} - and TALLYWATT_REQUIRE_ALL=1 allows no skip"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """A branch of pricing is to be reached by the tests of pricing."""
    count_those_of_the_room(item)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A branch of pricing that nothing tests fails the whole run."""
    ran_to_its_end = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if ran_to_its_end and is_whole_run(session.config):
        left_out = branches_left_out()
        if left_out:
            session.config.pluginmanager.get_plugin("terminalreporter").write_line(f"\nLeft out in rating:\n{left_out}")  # type: ignore[union-attr]  # there is one
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_finish() -> None:
    """What is there before the first test stays to the end: the collector of garbage need not look at it again and again.

    Nor need it look at all that a test makes so soon that most of it is still in use.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    """The address of this process's own PostgreSQL server, to which a database name is appended."""
    with postgresql_server(part("postgresql")) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server_url: str) -> Iterator[str]:
    """An empty PostgreSQL database of this test alone."""
    with fresh_database(postgresql_server_url, f"test_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite file of this test alone, not there yet."""
    return f"sqlite:///{tmp_path / 'tallywatt.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """An empty database of this test alone, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
