"""The desk at which a command works: the operator it is about, questions to the database, and workflows.

Questions go to the database on a connection that can only read, beside a running server. Workflows go to the running
server over its control socket when the database is SQLite and a server runs; otherwise this process writes by itself.
"""

from __future__ import annotations

import getpass
import logging
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.errors import BadInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tallywatt.entrypoints.cli.show import Data
    from tallywatt.kernel.clock import Instant
    from tallywatt.settings import Settings

PAGE = 500


@dataclass(frozen=True, slots=True)
class Here:
    """The operator that a command is about."""

    id: str
    slug: str
    name: str
    zone: str
    currency: str


class Desk:
    """What a command has at hand, for as long as it runs."""

    def __init__(self, settings: Settings, slug: str | None, opened: ExitStack) -> None:
        self.settings = settings
        self._slug = slug
        self._opened = opened

    @cached_property
    def views(self) -> Any:
        """The questions that can be asked."""
        from tallywatt.wiring import Views

        return Views

    @cached_property
    def operator(self) -> Here:
        """The operator that was named, or the only one."""
        found = self.operators()
        chosen = [one for one in found if self._slug in (None, one["slug"])]
        if len(chosen) == 1:
            [one] = chosen
            return Here(one["id"], one["slug"], one["name"], one["zone"], one["currency"])
        if not found:
            msg = "there is no operator yet"
            raise NotFound(msg, code="operators.none", remedy="add one: tallywatt operator add SLUG --name NAME")
        slugs = ", ".join(one["slug"] for one in found)
        if self._slug is not None:
            msg = f"there is no operator {self._slug!r}"
            raise NotFound(msg, code="operators.not_found", remedy=f"there are: {slugs}")
        msg = "there are several operators, and none was named"
        raise BadInput(msg, code="operators.which", remedy=f"name one with --operator: {slugs}")

    def operators(self) -> list[Data]:
        """All operators of the installation."""
        found: list[Data] = self._ask(self.views.operators)
        return found

    def ask(self, view: Callable[..., Any], *values: Any, **named: Any) -> Any:
        """The answer of a view, about this operator."""
        return self._ask(view, self.operator.id, *values, **named)

    def pages(self, view: Callable[..., Any], limit: int | None, **named: Any) -> list[Data]:
        """The items of a view that answers page by page: so many, or all of them."""
        found: list[Data] = []
        before: str | None = None
        while limit is None or len(found) < limit:
            most = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self.ask(view, most=most, before=before, **named)
            found += page["items"]
            before = page["next"]
            if before is None:
                break
        return found

    def behind(self, view: Callable[..., Any], key: str, **named: Any) -> list[Data]:
        """All rows of a view that answers what comes behind a key."""
        found: list[Data] = []
        while rows := self.ask(view, after=found[-1][key] if found else "", most=PAGE, **named):
            found += rows
            if len(rows) < PAGE:
                break
        return found

    def do(self, workflow: Callable[..., Any], command: object, *, operator_id: str | None = None) -> Data:
        """Run a workflow; its result as it would come over the control socket."""
        result: Data = self._write(operator_id or self.operator.id, workflow, command, actor=self.actor)
        return result

    @cached_property
    def actor(self) -> str:
        """Who sits here, as actions record it."""
        try:
            return f"cli:{getpass.getuser()}"
        except (KeyError, OSError):
            return "cli:unknown"  # a container's user may have no name

    def business_now(self) -> Instant:
        """Business time, wherever it was moved."""
        from tallywatt.wiring import business_time

        return business_time(self._ask(self.views.business_anchor))

    def new_operator_id(self) -> str:
        """An id for an operator that moves in; it may be the first thing in an empty database."""
        from tallywatt.wiring import fresh_id, present_revision, upgrade

        if present_revision(self.settings.url) is None:
            upgrade(self.settings.url)
        return fresh_id("operator")

    def key_hash(self, key: str | None) -> str | None:
        """The hash under which a station's key is kept."""
        from tallywatt.stations.credentials import hash_key
        from tallywatt.wiring import station_pepper

        return None if key is None else hash_key(key, station_pepper(self.settings))

    def station_url(self, identity: str) -> str:
        """Where a station of this operator connects."""
        from urllib.parse import quote

        host, port = self.settings.ocpp_host, self.settings.ocpp_port
        return f"ws://{host}:{port}/ocpp/{self.operator.slug}/{quote(identity, safe='')}"

    @cached_property
    def _ask(self) -> Callable[..., Any]:
        from tallywatt.wiring import looking

        return self._opened.enter_context(looking(self.settings))

    @cached_property
    def _write(self) -> Callable[..., Any]:
        from tallywatt.entrypoints.cli.logs import configure
        from tallywatt.wiring import writing

        configure(logging.WARNING)
        return self._opened.enter_context(writing(self.settings))


@contextmanager
def at_desk(slug: str | None = None) -> Iterator[Desk]:
    """A desk for one command; what it opened is closed with it."""
    with ExitStack() as opened:
        yield Desk(settings(), slug, opened)


@contextmanager
def at_desk_or_alone(slug: str | None, *, all_is_said: bool) -> Iterator[Desk | None]:
    """For commands about a file: a desk, or None where no operator has moved in, or where nothing is left to be asked."""
    with at_desk(slug) as desk:
        yield None if all_is_said or (slug is None and _is_empty(desk)) else desk


def _is_empty(desk: Desk) -> bool:
    from tallywatt.wiring import present_revision

    return present_revision(desk.settings.url) is None or not desk.operators()


def settings() -> Settings:
    """The settings of this installation, or what is wrong with them."""
    from pydantic import ValidationError

    from tallywatt.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        [first, *_] = error.errors()
        name = "TALLYWATT_" + "_".join(str(part) for part in first["loc"]).upper()
        msg = f"{name} cannot be meant like this: {first['msg']}"
        raise BadInput(msg, code="settings.bad", remedy=f"mend or unset {name}") from error
