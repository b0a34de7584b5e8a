"""The page about the command line says what the commands say of themselves."""

from __future__ import annotations

from pathlib import Path

from tallywatt.entrypoints.cli.failing import EXIT_CODES, exit_code
from tallywatt.entrypoints.cli.manual import manual
from tallywatt.kernel import errors

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_commands_say() -> None:
    """Write it again: python -m tallywatt.entrypoints.cli.manual > docs/reference/cli.md."""
    assert PAGE.read_text("utf-8") == manual()


def test_every_error_ends_with_an_exit_code_that_is_documented() -> None:
    """A script that branches on a number must find it on the page."""
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.TallywattError)]

    assert {exit_code(kind("x")) for kind in kinds} <= {code for code, _ in EXIT_CODES} - {0}
