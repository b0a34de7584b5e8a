"""The demonstration: three processes, a day of real sessions, three kills, and at the end everything adds up."""

from __future__ import annotations

import os
import secrets
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tallywatt.entrypoints.cli.access import console_url
from tallywatt.entrypoints.cli.demo import provision
from tallywatt.entrypoints.cli.demo.ends import ends
from tallywatt.entrypoints.cli.demo.processes import Child, environment_of, free_port, own_port
from tallywatt.entrypoints.cli.demo.screen import NOTHING, Picture
from tallywatt.entrypoints.cli.demo.sums import Outside, Sums
from tallywatt.kernel.clock import moment, parse_instant, zone
from tallywatt.kernel.errors import BadInput
from tallywatt.settings import Settings
from tallywatt.simulators.psp import books
from tallywatt.simulators.site import meters, plan, play, sample
from tallywatt.wiring import House, Views, audit_beside, looking, present_revision, upgrade
from tallywatt.workflows.sign_in import AddConsoleLink, add_console_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tallywatt.entrypoints.cli.demo.screen import Screen
    from tallywatt.simulators.site.plan import Provisioning

CURRENCY: Final = "GBP"
KILLS_AT_PERCENT: Final = (25, 50, 75)
DEAD_SECONDS: Final = 0.5
"""How long the server stays dead, so that whoever watches sees it."""
START_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 0.25
SHOWN_AFTER_SESSIONS: Final = 10
RUNNING: Final = frozenset({"active", "ended"})
ON_THE_WAY: Final = frozenset({"created", "prepared", "requires_action", "authorised"})
AWAITED_JOBS: Final = frozenset({"call_provider", "ask_provider", "start_paid_session", "lose_stop", "print_invoice"})
"""Jobs without which the day is not over. The others watch over what is over, or have a word for stations that are gone."""
ENDED_IN_ORDER: Final = ("site", "server", "psp")
"""Who needs the others is ended before them."""
INCIDENTS: Final = {
    "lost_stop": "a station lost power and never told how a session ended",
    "meter_reset": "a meter fell back to nothing while it counted",
    "declined_card": "a stored card is going to be declined",
    "resend_after_crash": "a station got no answer, crashed, and tells its start again",
    "never_plugged": "a driver paid and never plugged in",
}


class Settled(msgspec.Struct):
    """What the first run settled for all that follow: another port would be another provider."""

    psp_port: int
    operator_id: str = ""
    cards_stored: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """How the demonstration is asked for."""

    folder: Path
    seconds: float
    http_port: int
    ocpp_port: int
    sample: Path | None = None
    """A normalised CSV with another day; the day in Dundee if left out."""


@dataclass(slots=True)
class Heard:
    """What the site has said last."""

    played: int = 0
    of: int = 1
    clock: str = ""
    said: list[str] = field(default_factory=list)


class Demonstration:
    """One run, from an empty folder or from where an earlier run has left it."""

    def __init__(self, options: Options, screen: Screen) -> None:
        self._screen = screen
        self._seconds = options.seconds
        self._sample = options.sample
        self._day = sample.read(options.sample)
        self._folder = options.folder.resolve()
        self._settings = Settings(
            data_dir=self._folder,
            database_url=None,
            http_port=free_port(options.http_port),
            ocpp_port=free_port(options.ocpp_port),
        )
        self._settled = self._remembered()
        self._heard = Heard()
        self._hearing = threading.Lock()
        self._kills = 0
        self._unequal = 0
        self._figures: Mapping[str, Any] = NOTHING
        self._shown_driver = False
        environment = environment_of(
            {
                "DATA_DIR": str(self._folder),
                "HTTP_PORT": str(self._settings.http_port),
                "OCPP_PORT": str(self._settings.ocpp_port),
            }
        )
        self._child: Callable[..., Child] = lambda name, arguments, hears=None: Child(
            name, arguments, environment, self._folder / "logs" / f"{name}.log", hears
        )
        self._server = self._child("server", ["serve"])
        self._others: list[Child] = []

    # --- the run ---

    def run(self) -> Sums:
        """Play the day, and say what came of it. The server is left running; `stop` ends it."""
        site = play.Options(
            state=self._folder / "site.jsonl", operator=provision.SLUG, sample=self._sample, incidents=True
        )
        needs = play.prepare(site)
        link = self._move_in(needs)
        seconds = self._start_server()
        self._say_where(link, seconds)
        with ExitStack() as opened:
            ask = opened.enter_context(looking(self._settings))
            complete = self._play(ask)
            self._settle(ask)
            self._screen.still()
            self._say_ends(ask)
        return self._sums(complete=complete)

    def stop(self) -> None:
        """End all processes, the one that needs the others first."""
        self._screen.still()
        for child in sorted((self._server, *self._others), key=lambda one: ENDED_IN_ORDER.index(one.name)):
            child.stop()

    @property
    def serves(self) -> bool:
        """Whether the server is alive."""
        return self._server.runs

    # --- before the day ---

    def _remembered(self) -> Settled:
        path = self._folder / "demo.json"
        if path.exists():
            try:
                found = msgspec.json.decode(path.read_bytes(), type=Settled)
            except msgspec.DecodeError as error:
                msg = f"{path} was not written by this demonstration"
                raise BadInput(msg, code="demo.other_folder", remedy="use another --data-dir") from error
            own_port(found.psp_port, "the simulated payment provider")
            return found
        if self._folder.exists() and any(self._folder.iterdir()):
            msg = f"{self._folder} is not empty, and no demonstration has made it"
            raise BadInput(msg, code="demo.other_folder", remedy="use another --data-dir")
        self._folder.mkdir(parents=True, exist_ok=True)
        settled = Settled(free_port())
        self._write_private("psp.key", f"sk_test_{secrets.token_hex(16)}")
        self._write_private("psp.hook", f"whsec_{secrets.token_hex(16)}")
        self._remember(settled)
        return settled

    def _remember(self, settled: Settled) -> None:
        self._write_private("demo.json", msgspec.json.encode(settled).decode())

    def _write_private(self, name: str, text: str) -> None:
        path = self._folder / name
        draft = path.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)

    def _move_in(self, needs: Provisioning) -> str:
        """Everything that must be there before the day; the link that opens the console."""
        if present_revision(self._settings.url) is None:
            upgrade(self._settings.url)
        house = House(self._settings)
        house.store.start()
        try:
            if not self._settled.operator_id:
                self._screen.say(
                    f"Moving in: {len(needs.stations)} stations at {len(needs.sites)} sites, "
                    f"{len(needs.drivers)} customers with cards."
                )
                self._settled.operator_id = provision.move_in(house, needs, self._account())
                self._remember(self._settled)
            operator_id = self._settled.operator_id
            [account] = house.ask_now(house.views.provider_accounts, operator_id)
            self._start_psp(account["id"])
            if not self._settled.cards_stored:
                provision.store_cards(house, operator_id, needs.drivers)
                self._settled.cards_stored = True
                self._remember(self._settled)
            made = house.write_now(operator_id, add_console_link, AddConsoleLink(), actor=provision.ACTOR)
            return console_url(self._settings.base_url, made.secret)
        finally:
            house.store.close()

    def _account(self) -> provision.Account:
        return provision.Account(
            base_url=self._psp_url,
            secret_reference=f"file:{self._folder / 'psp.key'}",
            webhook_secret_reference=f"file:{self._folder / 'psp.hook'}",
        )

    @property
    def _psp_url(self) -> str:
        return f"http://127.0.0.1:{self._settled.psp_port}"

    def _start_psp(self, account_id: str) -> None:
        secret = (self._folder / "psp.hook").read_text(encoding="utf-8")
        webhook = f"{self._settings.base_url}/webhooks/stripe/{account_id}"
        arguments = ["simulate", "psp", "--port", str(self._settled.psp_port), "--state", str(self._books)]
        psp = self._child("psp", [*arguments, "--webhook", webhook, "--webhook-secret", secret])
        self._others.append(psp)
        psp.start()
        psp.require_answer(f"{self._psp_url}/_health", START_SECONDS)

    @property
    def _books(self) -> Path:
        return self._folder / "psp.jsonl"

    def _start_server(self) -> float:
        self._server.start()
        return self._server.require_answer(f"{self._settings.base_url}/health", START_SECONDS)

    def _say_where(self, link: str, seconds: float) -> None:
        screen, settings = self._screen, self._settings
        begins = moment(self._day.rows[0].started_at, zone(plan.ZONE))
        today = f"{begins.day} {begins:%B %Y}"
        screen.say(f"The server answered after {seconds:.1f} s. It is {today} in Dundee.")
        screen.say()
        screen.field("Console", f"{link}  (opens once)")
        screen.field("API", f"{settings.base_url}/docs")
        screen.field("Stations", f"ws://{settings.ocpp_host}:{settings.ocpp_port}/ocpp/{provision.SLUG}/<station id>")
        screen.field("", "OCPP 1.6 and 2.0.1; connect one of your own: it waits in quarantine, adopt it")
        screen.field("", f"on the console, or: TALLYWATT_DATA_DIR={self._folder} tallywatt station adopt ID")
        screen.field("Files", f"{self._folder}")
        screen.say()

    # --- the day ---

    def _play(self, ask: Callable[..., Any]) -> bool:
        """Let the site play while the server is killed three times; whether the day was played to its end."""
        settings = self._settings
        arguments = ["simulate", "site", "--state", str(self._folder / "site.jsonl"), "--operator", provision.SLUG]
        arguments += ["--gateway", f"ws://{settings.ocpp_host}:{settings.ocpp_port}", "--door", settings.base_url]
        arguments += ["--seconds", str(self._seconds), "--incidents"]
        if self._sample is not None:
            arguments += ["--sample", str(self._sample.resolve())]
        site = self._child("site", arguments, self._hear)
        self._others.append(site)
        site.start()
        while site.runs:
            self._paint(ask)
            if self._due_kills() > self._kills:
                self._kill(ask)
            elif not self._server.runs:
                self._start_server()  # it must not die by itself; if it did, its log says why, and the day goes on
            time.sleep(LOOK_SECONDS)
        site.stop()
        while self._kills < len(KILLS_AT_PERCENT):
            self._kill(ask)
        return site.succeeded

    def _due_kills(self) -> int:
        percent = 100 * self._heard.played // max(self._heard.of, 1)
        return sum(percent >= at for at in KILLS_AT_PERCENT)

    def _kill(self, ask: Callable[..., Any]) -> None:
        self._server.kill()
        self._kills += 1
        self._paint(ask)
        time.sleep(DEAD_SECONDS)
        seconds = self._start_server()
        self._paint(ask)
        holds = self._figures["energy"]["unexplained_wh"] == "0" and self._figures["ledger_balanced"]
        self._unequal += not holds
        self._screen.say(
            f"kill -9, the {_ordinal(self._kills)} of {len(KILLS_AT_PERCENT)}: the server was back after "
            f"{seconds + DEAD_SECONDS:.1f} s, and {'both equations hold' if holds else 'the figures do not add up'}."
        )

    def _hear(self, line: str) -> None:
        """A line from the site, on the thread that listens to it."""
        try:
            said = msgspec.json.decode(line)
        except msgspec.DecodeError:
            return
        with self._hearing:
            if said.get("event") == "progress":
                self._heard.played, self._heard.of = said["played"], said["of"]
                self._heard.clock = f"{moment(parse_instant(said['at']), zone(plan.ZONE)):%d %b %H:%M}"
            elif said.get("event") == "incident" and said.get("incident") in INCIDENTS:
                sentence = INCIDENTS[said["incident"]]
                if sentence not in self._heard.said:
                    self._heard.said.append(sentence)
                    self._screen.say(f"Incident: {sentence}.")

    def _paint(self, ask: Callable[..., Any]) -> None:
        views, operator_id = Views, self._settled.operator_id
        self._figures = ask(views.overview, operator_id)
        with self._hearing:
            picture = Picture(
                played=self._heard.played,
                of=self._heard.of,
                clock=self._heard.clock,
                energy=self._figures["energy"],
                money=self._figures["money"][CURRENCY],
                currency=CURRENCY,
                kills=self._kills,
                kills_in_all=len(KILLS_AT_PERCENT),
                serving=self._server.runs,
            )
        self._screen.paint(picture)
        if not self._shown_driver and self._heard.played >= SHOWN_AFTER_SESSIONS:
            self._show_driver(ask)

    def _show_driver(self, ask: Callable[..., Any]) -> None:
        page = ask(Views.sessions, self._settled.operator_id, most=1)
        for one in page["items"]:
            detail = ask(Views.session, self._settled.operator_id, one["id"])
            self._screen.field("A driver", f"{self._settings.base_url}/s/{detail['driver_secret']}")
            self._shown_driver = True

    # --- after the day ---

    def _settle(self, ask: Callable[..., Any]) -> None:
        """Wait until nothing is on its way any more."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._is_unsettled(ask) and time.monotonic() < deadline:
            self._paint(ask)
            time.sleep(LOOK_SECONDS)
        self._paint(ask)

    def _is_unsettled(self, ask: Callable[..., Any]) -> bool:
        views, operator_id = Views, self._settled.operator_id
        figures = ask(views.overview, operator_id)
        if RUNNING & figures["sessions"].keys() or ON_THE_WAY & figures["payments"].keys():
            return True
        waiting = [*ask(views.jobs, operator_id, "ready", 1000), *ask(views.jobs, operator_id, "leased", 1000)]
        return any(job["kind"] in AWAITED_JOBS for job in waiting)

    def _say_ends(self, ask: Callable[..., Any]) -> None:
        """How what went wrong on purpose has ended."""
        incidents = meters.read(self._folder / "site.jsonl").incidents
        self._screen.say()
        for happened, end in ends(ask, Views, self._settled.operator_id, self._day, incidents):
            self._screen.say(f"  {happened}: {end}")
        self._screen.say()

    def _sums(self, *, complete: bool) -> Sums:
        delivered = meters.read(self._folder / "site.jsonl")
        provider = books.read(self._books)
        outside = Outside(
            sessions=delivered.sessions,
            milliwatt_hours=delivered.delivered_milliwatt_hours,
            captured_minor=provider.captured_minor.get(CURRENCY, 0),
            refunded_minor=provider.refunded_minor.get(CURRENCY, 0),
            holds_open=provider.holds_open,
        )
        audit = audit_beside(self._settings, self._settled.operator_id)
        return Sums(audit, outside, len(self._day.rows), self._kills, self._unequal, complete)


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
