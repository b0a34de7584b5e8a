"""The processes of a round: the provider, the stations, the server or its parts, the line to the database; and what is done to
them. Whatever was started here is ended here.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import psycopg

from tallywatt.entrypoints.cli.demo import provision
from tallywatt.entrypoints.cli.demo.processes import Child, environment_of, free_port
from tallywatt.entrypoints.worker import LANES, Workers
from tallywatt.kernel.errors import Broken
from tallywatt.settings import Settings
from tallywatt.simulators.site import play, sample
from tallywatt.wiring import House, upgrade
from tallywatt.workflows.keep_reader import AddReader, add_reader
from tests.adapters.storage.cutting import AFTER, BEFORE, CuttingProxy
from tests.chaos.balancer import Balancer
from tests.chaos.day import rows_of
from tests.chaos.plan import WHOLE
from tests.chaos.verdict import Records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tallywatt.simulators.site.plan import PlannedStation
    from tests.chaos.plan import Act, Plan

START_SECONDS = 120.0
USUAL_START_SECONDS = 2.5
INFORMING = frozenset({"StatusNotification", "Heartbeat", "BootNotification", "Authorize"})
PATIENCE_SECONDS = 300
"""Of stations and drivers: on a machine with much other work the server is away for long."""
LOOK_SECONDS = 0.05
WIDE_OPEN = {
    "LIMIT_PAY": "100000/60",
    "LIMIT_PAGES": "100000/60",
    "LIMIT_WEBHOOKS": "100000/60",
}
"""All drivers come from one address here."""


class Scene:
    """One installation with everything around it."""

    def __init__(self, plan: Plan, folder: Path, database_url: str | None, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.folder = folder
        self._say = say
        self._database = database_url
        self.proxy = None if database_url is None else CuttingProxy(database_url)
        self.settings = Settings(
            data_dir=folder, database_url=database_url, http_port=free_port(), ocpp_port=free_port()
        )
        self.operator_id = ""
        self.account_id = ""
        self.kills = 0
        self.slowness = 1.0
        """How much slower this machine is at the moment than an idle one: pauses grow with it, and the stations' day."""
        self.ended_by_themselves: list[str] = []
        self.heard: dict[str, Any] = {}
        """What the site has said last of each kind of event."""
        self._psp_port = free_port()
        gateways = {name: free_port() for name in plan.parts if name.startswith("gateway")}
        self.balancer = Balancer(tuple(gateways.values())) if len(gateways) > 1 else None
        self.servers = {
            name: self._server(name, gateways.get(name) if self.balancer is not None else None) for name in plan.parts
        }
        self.psp: Child | None = None
        self.site: Child | None = None

    def _server(self, name: str, ocpp_port: int | None) -> Child:
        settings = {
            "DATA_DIR": str(self.folder),
            "HTTP_PORT": str(self.settings.http_port),
            "OCPP_PORT": str(ocpp_port or self.settings.ocpp_port),
            **WIDE_OPEN,
        }
        if self.proxy is not None:
            settings["DATABASE_URL"] = self.proxy.url
        part = [] if self.plan.parts == WHOLE else ["--only", name.partition("-")[0]]
        return Child(name, ["serve", *part], environment_of(settings), self.folder / "logs" / f"{name}.log")

    @property
    def records(self) -> Records:
        """Where it is written what happened."""
        return Records(self.settings, self.operator_id, self.psp_file, self.site_file, self.heard)

    # --- before ---

    def move_in(self) -> None:
        """Everything that must be there: stations, prices, customers with cards, a provider; and the stations' day."""
        self.folder.mkdir(parents=True, exist_ok=True)
        day = self.folder / "day.csv"
        day.write_text(sample.write(rows_of(self.plan)), encoding="utf-8")
        needs = play.prepare(play.Options(state=self.site_file, operator=provision.SLUG, sample=day))
        for name, text in (
            ("psp.key", f"sk_test_{secrets.token_hex(8)}"),
            ("psp.hook", f"whsec_{secrets.token_hex(8)}"),
        ):
            (self.folder / name).write_text(text, encoding="utf-8")
        upgrade(self.settings.url)
        house = House(self.settings)
        house.store.start()
        try:
            account = provision.Account(
                self.psp_url, f"file:{self.folder / 'psp.key'}", f"file:{self.folder / 'psp.hook'}"
            )
            self.operator_id = provision.move_in(house, needs, account)
            [shown] = house.ask_now(house.views.provider_accounts, self.operator_id)
            self.account_id = shown["id"]
            self.start_psp()
            provision.store_cards(house, self.operator_id, needs.drivers)
            for station in needs.stations[1::2]:
                self._put_up_reader(house, shown["name"], station)
            # Whoever puts up a reader sees to it that it is known before the first driver comes.
            while Workers(house, ()).step(LANES["providers"]):
                pass
        finally:
            house.store.close()

    def _put_up_reader(self, house: House, account: str, station: PlannedStation) -> None:
        """A card reader beside every other station; whoever is asked there has a card at hand."""
        reader = f"tmr_simulated_{station.id.lower()}"
        told = {"reader": reader, "comes": provision.GOOD_CARD}
        httpx.post(f"{self.psp_url}/_readers", json=told, timeout=5).raise_for_status()
        command = AddReader(account, reader, station.id, evses=tuple(one.code for one in station.evses))
        house.write_now(self.operator_id, add_reader, command, actor=provision.ACTOR)

    @property
    def site_file(self) -> Path:
        """The stations' own record."""
        return self.folder / "site.jsonl"

    @property
    def psp_file(self) -> Path:
        """The provider's own books."""
        return self.folder / "psp.jsonl"

    @property
    def psp_url(self) -> str:
        """Where the provider listens."""
        return f"http://127.0.0.1:{self._psp_port}"

    # --- the processes ---

    def start_psp(self) -> None:
        """Start the provider, on the file that it has."""
        hook = (self.folder / "psp.hook").read_text(encoding="utf-8")
        webhook = f"{self.settings.base_url}/webhooks/stripe/{self.account_id}"
        arguments = ["simulate", "psp", "--port", str(self._psp_port), "--state", str(self.psp_file)]
        arguments += ["--webhook", webhook, "--webhook-secret", hook]
        self.psp = Child("psp", arguments, environment_of({}), self.folder / "logs" / "psp.log")
        self.psp.start()
        self.psp.require_answer(f"{self.psp_url}/_health", START_SECONDS)

    def start_servers(self) -> None:
        """Start the server, whole or in parts, and wait for its first answer."""
        if self.proxy is not None:
            self.proxy.__enter__()
        if self.balancer is not None:
            self.balancer.start(self.settings.ocpp_port)
        began = time.monotonic()
        for child in self.servers.values():
            child.start()
        self.until_healthy()
        self.slowness = max(1.0, (time.monotonic() - began) / USUAL_START_SECONDS)

    def start_site(self) -> None:
        """Let the stations begin their day."""
        arguments = ["simulate", "site", "--state", str(self.site_file), "--operator", provision.SLUG]
        arguments += ["--gateway", f"ws://127.0.0.1:{self.settings.ocpp_port}", "--door", self.settings.base_url]
        arguments += [
            "--sample",
            str(self.folder / "day.csv"),
            "--seconds",
            f"{self.plan.size.seconds * self.slowness:.0f}",
        ]
        arguments += [
            "--readers",
            "--share",
            "0.15",
            "--seed",
            str(self.plan.seed),
            "--patience",
            str(PATIENCE_SECONDS),
        ]
        for fault in ("reconnect", "resend", "stop_before_start", "offline"):
            arguments += ["--fault", fault]
        self.site = Child("site", arguments, environment_of({}), self.folder / "logs" / "site.log", self._hear)
        self.site.start()

    def _hear(self, line: str) -> None:
        with suppress(msgspec.DecodeError):
            said = msgspec.json.decode(line)
            # What only informs may hear of an error while the database is away; money and energy may not.
            if said.get("event") != "answered_badly" or said["message"] not in INFORMING:
                self.heard[said.get("event", "")] = said

    @property
    def playing(self) -> bool:
        """Whether the stations still have something to tell."""
        return self.site is not None and self.site.runs

    def progress(self) -> str:
        """How far the stations are."""
        said = self.heard.get("progress", {})
        return f"{said.get('played', 0)}/{said.get('of', '?')} sessions"

    def until_healthy(self) -> None:
        """Wait for the first answer of the HTTP door; a server that gave up (no database yet) is started again."""
        deadline = time.monotonic() + START_SECONDS
        door = self.servers.get("server") or self.servers["http"]
        while True:
            self.revive()
            try:
                door.require_answer(f"{self.settings.base_url}/health", max(1.0, deadline - time.monotonic()))
                return
            except Broken:
                if time.monotonic() > deadline:
                    raise

    def revive(self) -> None:
        """What a supervisor does: whoever has ended is started again. That it has ended is written down."""
        for name, child in self.servers.items():
            if not child.runs:
                self.ended_by_themselves.append(f"{name}:\n{child.last_words()}")
                child.start()

    # --- what is done to them ---

    def do(self, act: Act) -> None:
        """Do it now."""
        doing: dict[str, Callable[[dict[str, Any]], None]] = {
            "kill": self._kill,
            "provider": self._misbehave,
            "kill_provider": self._kill_provider,
            "terminate": lambda _: self._terminate(),
            "crash_database": lambda _: self._crash_database(),
            "cut_before_commit": lambda _: self._cut(BEFORE),
            "cut_after_commit": lambda _: self._cut(AFTER),
        }
        doing[act.kind](act.told)

    def _kill(self, told: dict[str, Any]) -> None:
        whom = [child for name, child in self.servers.items() if told["whom"] in ("all", name)]
        for child in whom:
            child.kill()
        self.kills += 1
        time.sleep(told["dead"])
        for child in whom:
            child.start()
        if told["until_healthy"]:
            self.until_healthy()

    def _misbehave(self, told: dict[str, Any]) -> None:
        fault = {("kind" if name == "fault" else name): value for name, value in told.items()}
        with suppress(httpx.HTTPError):
            # While it refuses connections it cannot be told either.
            httpx.post(f"{self.psp_url}/_faults", json=fault, timeout=5)

    def _kill_provider(self, told: dict[str, Any]) -> None:
        assert self.psp is not None, "started before"
        self.psp.kill()
        time.sleep(told["dead"])
        self.start_psp()

    def _terminate(self) -> None:
        self._with_backends(
            lambda other, pids: [other.execute("SELECT pg_terminate_backend(%s)", (pid,)) for pid in pids]
        )

    def _crash_database(self) -> None:
        """One process of the database dies of SIGKILL: the server ends all others, and recovers."""
        self._with_backends(lambda _, pids: os.kill(pids[0], signal.SIGKILL) if pids else None)

    def _with_backends(self, do: Callable[[psycopg.Connection, list[int]], object]) -> None:
        assert self._database is not None, "only on PostgreSQL"
        with suppress(psycopg.Error, ProcessLookupError), psycopg.connect(self._database, autocommit=True) as other:
            rows = other.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            do(other, [row[0] for row in rows.fetchall()])

    def _cut(self, moment: str) -> None:
        assert self.proxy is not None, "only on PostgreSQL"
        self.proxy.arm(moment)

    # --- peace, and the end ---

    def heal(self) -> None:
        """Nothing goes wrong from now on."""
        if self.proxy is not None:
            self.proxy.disarm()
        assert self.psp is not None, "started before"
        if not self.psp.runs:
            self.start_psp()
        for _ in range(50):
            with suppress(httpx.HTTPError):
                httpx.delete(f"{self.psp_url}/_faults", timeout=5).raise_for_status()
                break
            time.sleep(0.2)
        self.until_healthy()

    def stop_servers(self) -> list[str]:
        """SIGTERM to the server; whoever did not end well."""
        badly = []
        for name, child in self.servers.items():
            child.stop()
            if not child.succeeded:
                badly.append(f"{name} did not end well after SIGTERM:\n{child.last_words()}")
        return badly

    def close(self) -> None:
        """End whatever is left, whoever it is."""
        for child in (self.site, *self.servers.values(), self.psp):
            if child is not None:
                child.kill()
        if self.balancer is not None:
            self.balancer.close()
        if self.proxy is not None:
            with suppress(OSError, RuntimeError):
                self.proxy.__exit__(None, None, None)
