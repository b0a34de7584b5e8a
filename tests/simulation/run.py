"""One run of a plan: an hour in which things go wrong, then peace, then what must be true."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.adapters.storage.connections import SqliteConnection
from tallywatt.kernel.errors import Busy, TallywattError
from tests.simulation.bank import BALANCES, balances_are_covered, pay_an_item, top_up, undo_a_line
from tests.simulation.debits import collect
from tests.simulation.disputes import Disputed, compare_with_pages
from tests.simulation.files import give_files, read_now
from tests.simulation.furnish import PLUGS, STATIONS, move_in
from tests.simulation.holds import secure_holds, several_captures, small_holds
from tests.simulation.house import Crash, Disk, LivingHouse, Mortality
from tests.simulation.lost_captures import look_for_lost, lose_capture
from tests.simulation.people import (
    AdHocDriver,
    change_price,
    charge_by_card,
    give_something_back,
    stop_from_afar,
    work_off_inbox,
)
from tests.simulation.plan import HORIZON, Plan, Step
from tests.simulation.provider import SimulatedProvider
from tests.simulation.readers import ReaderDriver, lose_reader
from tests.simulation.reservations import Reserver
from tests.simulation.station import Plug, Station
from tests.simulation.truths import broken_truths
from tests.simulation.world import BEGINNING, HOUR, MINUTE, SECOND, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ASK_AGAIN = 5 * SECOND
ROUNDS_OF_PEACE = 4


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    plan: Plan
    broken: tuple[str, ...]
    """What must be true and is not; empty when all is well."""
    history: tuple[str, ...]
    event_log: bytes
    """Every event of the house, in the order of positions."""
    figures: dict[str, int]


class Simulation:
    """One house, its stations, its provider, its people, for as long as one plan takes."""

    def __init__(self, plan: Plan, template: Path, folder: Path) -> None:
        move_in(template, folder)
        self.plan = plan
        self.folder = folder
        self.world = World(plan.seed)
        self.luck = self.world.chance("people")
        self.mortality = Mortality(self.world)
        self.disk = Disk(self.world)
        self.provider = SimulatedProvider(folder / "psp.jsonl", self.world, plan.provider)
        self.books = self.provider.books
        self.provider.deliver = self._deliver
        self.stations = [
            Station(self.world, identity, protocol, quirks, PLUGS)
            for (identity, protocol), quirks in zip(STATIONS, plan.quirks, strict=True)
        ]
        self.house: LivingHouse | None = None
        self.crashes = 0
        self.overdrawn: list[str] = []
        """What a balance was found to lack, at any step."""
        self._lives = 0
        self._downtime = 10
        self._at_peace = False
        self.codes: dict[tuple[str, int], str] = {}
        self.evse_ids: dict[tuple[str, int], str] = {}
        self.station_ids: dict[str, str] = {}
        self.reservers: list[Reserver] = []
        self._raise_house()
        self._learn_codes()
        of_provider = "SELECT account_id FROM provider_accounts WHERE provider = ?"
        self.account_id: str = self.rows(of_provider, plan.provider)[0][0]

    def _learn_codes(self) -> None:
        assert self.house is not None, "it was just opened"
        sql = (
            "SELECT s.identity, e.number, e.code, e.evse_id, s.station_id FROM evses e"
            " JOIN stations s ON s.station_id = e.station_id"
        )
        for identity, number, code, evse_id, station_id in self.house.ask_now(
            lambda connection: connection.execute(sql)
        ):
            self.codes[identity, number] = code
            self.evse_ids[identity, number] = evse_id
            self.station_ids[identity] = station_id

    # --- the house's lives ---

    def _raise_house(self) -> None:
        self._lives += 1
        self.mortality.waits = True
        try:
            house = LivingHouse(self.folder, self.world, self.mortality, self.disk, self.provider.cards, self._lives)
        except Busy:
            # The process ends with an error, and its supervisor starts it again.
            self.world.after(ASK_AGAIN, self._raise_house)
            return
        finally:
            self.mortality.waits = False
        if self._at_peace:
            house.hurry_until = 0
        self.house = house
        self.world.say(f"the house is open (life {self._lives})")
        for station in self.stations:
            station.house_is(house)

    def _bury(self) -> None:
        assert self.house is not None, "only the living die"
        self.crashes += 1
        self.house.die()
        self.house = None
        for station in self.stations:
            station.house_is(None)
        self.world.after(self._downtime * SECOND, self._raise_house)

    def ask_house(self, what: Callable[[LivingHouse], object]) -> None:
        """Somebody asks the house for something, and asks again while it is not there or dies of it."""

        def again() -> None:
            self.ask_house(what)

        if self.house is None:
            self.world.after(ASK_AGAIN, again)
            return
        try:
            what(self.house)
        except Crash:
            self.world.after(ASK_AGAIN, again)
            raise
        except Busy:
            self.world.after(ASK_AGAIN, again)
        except TallywattError as error:
            self.world.say(f"refused: {error.code}")

    def _deliver(self, headers: dict[str, str], body: bytes) -> bool:
        if self.house is None:
            return False
        self.mortality.hears("webhook")
        try:
            taken = self.house.take_webhook(self.plan.provider, self.account_id, headers, body)
        except Busy:
            return False
        self.world.say(f"webhook {taken}")
        return True

    # --- the plan ---

    def place(self, step: Step) -> tuple[Station, Plug]:
        """Where a step happens."""
        station = self.stations[step.told["station"]]
        return station, station.plugs[step.told["plug"]]

    def _begin(self, step: Step) -> None:
        self.world.say(f"STEP {step}")
        told = step.told
        actions: dict[str, Callable[[], object]] = {
            "visit": lambda: charge_by_card(self, step),
            "visit_ad_hoc": lambda: AdHocDriver(self, step).begin(),
            "cut": lambda: self.stations[told["station"]].stays_away(told["seconds"], noticed=told["noticed"]),
            "reboot": lambda: self.stations[told["station"]].reboot(told["seconds"]),
            "crash": lambda: self._will_die(told),
            "provider": lambda: self.provider.fault(told["fault"], told["times"], told["path"]),
            "refuses": lambda: self.provider.refuse(told["seconds"]),
            "reset_meter": lambda: self.place(step)[0].reset_meter(self.place(step)[1]),
            "refund": lambda: give_something_back(self, step),
            "price": lambda: change_price(self, step),
            "stop": lambda: stop_from_afar(self, step),
            "inbox": lambda: self.ask_house(lambda house: work_off_inbox(house, self.luck)),
            "disk_fails": lambda: self._disk_fails(told["seconds"], told["one_in"]),
            "disk_full": lambda: self._disk_is_full(told["seconds"]),
            "bank_line": lambda: pay_an_item(self, step),
            "undo_line": lambda: undo_a_line(self, step),
            "top_up": lambda: top_up(self, step),
            "debit": lambda: collect(self, step),
            "tap": lambda: ReaderDriver(self, step).begin(),
            "reader_lost": lambda: lose_reader(self, step),
            "reserve": lambda: Reserver(self, step).begin(),
            "several_captures": lambda: several_captures(self),
            "pay_out": lambda: self.provider.switch("/_pay_out"),
            "dispute": lambda: Disputed(self, step).begin(),
            "lose_capture": lambda: lose_capture(self, step),
            "small_holds": lambda: small_holds(self, step),
            "read_settlements": lambda: read_now(self),
            "hold_ends": lambda: self.ask_house(secure_holds),
            "weather": lambda: self._weather_is(told["loss"]),
        }
        actions[step.kind]()
        self.overdrawn += balances_are_covered(self.rows(BALANCES))

    def _will_die(self, told: dict[str, Any]) -> None:
        self._downtime = told["downtime"]
        self.mortality.arm(told["points"], told["on"])

    def _disk_fails(self, seconds: int, one_in: int) -> None:
        self.disk.fails_until = self.world.now + seconds * SECOND
        self.disk.one_in = one_in

    def _disk_is_full(self, seconds: int) -> None:
        self.disk.full_until = self.world.now + seconds * SECOND

    def _weather_is(self, loss: float) -> None:
        self.world.loss = loss

    def run(self) -> Outcome:
        """Play the plan, let peace come, and look."""
        for step in self.plan.steps:
            self.world.at(BEGINNING + step.at, lambda step=step: self._begin(step))  # type: ignore[misc]  # a lambda's default has no type
        self._go(BEGINNING + HORIZON)
        self._make_peace()
        broken = broken_truths(self)
        assert self.house is not None, "peace needs a house"
        log = self._event_log()
        figures = self._figures()
        self.house.die()
        self.provider.close()
        return Outcome(self.plan, tuple(broken), tuple(self.world.history), log, figures)

    def _go(self, until: int, done: Callable[[], bool] | None = None) -> None:
        while self.world.now < until and not (done is not None and done()):
            try:
                self.world.run(until, done)
            except Crash:
                self._bury()

    def _make_peace(self) -> None:
        """Nothing goes wrong any more: everybody comes back, says what is left to say, and a person decides what is open."""
        self.world.say("PEACE")
        self._at_peace = True
        self.mortality.disarm()
        self.provider.heal()
        self.disk.heal()
        self.world.loss = 0.0
        self._go(self.world.now + 5 * MINUTE, lambda: self.house is not None)
        self._go(self.world.now + 50 * MINUTE, self._all_quiet)
        for station in self.stations:
            station.leave_alone()
        self._go(self.world.now + 2 * HOUR, self._all_quiet)
        assert self.house is not None, "it was opened again"
        self.house.hurry_until = 0
        for _ in range(ROUNDS_OF_PEACE):
            self._go(self.world.now + 30 * HOUR)
            news = give_files(self) + compare_with_pages(self, paid_out=False) + look_for_lost(self)
            if not work_off_inbox(self.house, self.luck) and not news:
                break
        if self.provider.dialect.report_user is not None:
            self.provider.switch("/_pay_out")
            self._go(self.world.now + 30 * HOUR)
            give_files(self)
            if compare_with_pages(self, paid_out=True):
                # What no batch tells yet: the provider pays out nothing while it has more to get than to give.
                self._go(self.world.now + HOUR)
            work_off_inbox(self.house, self.luck)

    def _all_quiet(self) -> bool:
        return all(station.is_quiet for station in self.stations)

    # --- what is there in the end ---

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the database, as they are on the disk."""
        connection = SqliteConnection(str(self.folder / "house.db"), read_only=True)
        try:
            return connection.execute(sql, values)
        finally:
            connection.close()

    def _event_log(self) -> bytes:
        columns = "position, event_id, aggregate, aggregate_id, version, type, data, actor, cause, booked_at"
        rows = self.rows(f"SELECT {columns} FROM events ORDER BY position")
        return "\n".join("|".join(str(value) for value in row) for row in rows).encode()

    def _figures(self) -> dict[str, int]:
        counted = {
            name: self.rows(f"SELECT count(*) FROM {name}")[0][0]
            for name in (
                "sessions",
                "invoices",
                "payments",
                "customer_holds",
                "received_transfers",
                "transfer_parts",
                "debit_collections",
                "operations",
                "reservations",
                "frames",
                "events",
                "webhook_events",
                "settlement_lines",
                "disputes",
            )
        }
        for state, count in self.rows("SELECT state, count(*) FROM disputes GROUP BY state"):
            counted[f"disputes {state}"] = count
        counted["captures lost"] = self.rows("SELECT count(*) FROM operations WHERE code = 'capture_lost'")[0][0]
        grown = "SELECT count(*) FROM operations WHERE kind = 'adjust' AND state = 'succeeded'"
        counted["holds grown"] = self.rows(grown)[0][0]
        at_readers = "SELECT count(*) FROM payments WHERE reader_id IS NOT NULL AND authorised_minor > 0"
        counted["holds at readers"] = self.rows(at_readers)[0][0]
        return {**counted, "crashes": self.crashes}


def play(plan: Plan, template: Path, folder: Path) -> Outcome:
    """Play a plan in a folder of its own, which is gone afterwards."""
    simulation = None
    try:
        simulation = Simulation(plan, template, folder)
        return simulation.run()
    except Exception as error:  # noqa: BLE001  # whatever breaks a run is what the run has found
        history = tuple(simulation.world.history) if simulation is not None else ()
        return Outcome(plan, (f"{type(error).__name__}: {error}",), history, b"", {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
