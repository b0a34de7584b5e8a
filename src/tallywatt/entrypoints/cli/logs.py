"""Logs: one line an event, to standard error; never the values of variables, for they hold secrets."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

from tallywatt.kernel.card_numbers import hide_card_numbers

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def configure(level: int = logging.INFO) -> None:
    """Set up logging: a long-running command tells what happens, the others only what goes wrong."""
    on_terminal = sys.stderr.isatty()
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if on_terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_card_numbers,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Where standard error is at the moment; only a server, which logs all the time, keeps its loggers.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=level <= logging.INFO,
    )


def _without_card_numbers(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What somebody put into an address or a name, and what an error quotes, goes no further than here."""
    for name, value in line.items():
        told, found = hide_card_numbers(str(value))
        if found:
            line[name] = told
    return line
