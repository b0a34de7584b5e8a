"""The people around a house: drivers with and without an account, and the one who works off the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.errors import Conflict
from tallywatt.kernel.identity import EvseId, PaymentId
from tallywatt.kernel.money import money
from tallywatt.metering.session import PayerKind, SessionState
from tallywatt.stations.command import Action
from tallywatt.workflows.command_station import CommandStation, command_station
from tallywatt.workflows.give_back import GiveBack, give_back
from tallywatt.workflows.offer_and_pay import OfferAndPay, offer_and_pay
from tallywatt.workflows.pay_ad_hoc import MoveHold, move_hold
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.resolve_inbox import HOLDING, Decision, ResolveItem, resolve_item
from tallywatt.workflows.void_hold import VoidHold, void_hold
from tests.simulation.furnish import OPERATOR, per_kwh
from tests.simulation.world import MINUTE, SECOND

if TYPE_CHECKING:
    from random import Random

    from tallywatt.metering.session import InboxItem
    from tallywatt.workflows.ports import UnitOfWork
    from tests.simulation.house import LivingHouse
    from tests.simulation.plan import Step
    from tests.simulation.run import Simulation
    from tests.simulation.station import Plug, Station

GIVES_UP_AFTER = 4 * MINUTE
"""How long a driver waits for a start."""


@dataclass
class Visit:
    """A vehicle at a plug."""

    watts: int
    minutes: int
    idle_minutes: int
    leaves_after: int
    waits_for_start: bool = False


def visit_of(step: Step, *, waits: bool) -> Visit:
    """The vehicle of a step."""
    told = step.told
    return Visit(told["watts"], told["minutes"], told["idle"], told["leaves"], waits)


def charge_by_card(run: Simulation, step: Step) -> None:
    """A driver with a card: plugs in and shows it."""
    station, plug = run.place(step)
    if plug.visit is not None or station._off:
        return
    station.plug_in(plug, visit_of(step, waits=False))
    run.world.after(3 * SECOND, lambda: _show_card(station, plug, step.told["payer"]))


def _show_card(station: Station, plug: Plug, token: str) -> None:
    if plug.visit is not None and plug.charge is None and not station._off:
        station.begin(plug, token)


class AdHocDriver:
    """A driver without an account: scans the code, pays on the provider's page, plugs in."""

    def __init__(self, run: Simulation, step: Step) -> None:
        self._run = run
        self._step = step
        self._how = step.told["payer"]
        self._station, self._plug = run.place(step)
        self._visit = visit_of(step, waits=True)
        self._payment_id = ""
        self._asked_until = 0

    def begin(self) -> None:
        """Scan the code and agree to the price."""
        if self._plug.visit is not None:
            return
        code = self._run.codes[self._station.identity, self._plug.number]
        pages = f"http://sim/{self._step.at}/{{secret}}"

        def open_page(house: LivingHouse) -> None:
            asked = OfferAndPay(code, pages, f"{pages}?cancelled")
            payment = house.write_now(OPERATOR, offer_and_pay, asked, actor="driver")
            self._payment_id = payment.payment_id
            self._asked_until = self._run.world.now + 10 * MINUTE
            self._run.world.after(SECOND, self._look_for_page)

        self._run.ask_house(open_page)
        if self._how not in {"never_plugs_in", "abandons"}:
            self._run.world.after(self._step.told["haste"] * SECOND, self._plug_in)

    def _plug_in(self) -> None:
        if self._plug.visit is None and not self._station._off:
            self._station.plug_in(self._plug, self._visit)
            self._run.world.after(GIVES_UP_AFTER, self._lose_patience)

    def _look_for_page(self) -> None:
        def look(house: LivingHouse) -> None:
            url, state = self._row(house)
            if url is not None and state == "requires_action":
                wait = 15 * MINUTE if self._how == "pays_late" else self._step.told["haste"] * SECOND
                self._run.world.after(wait, lambda: self._pay(url))
            elif self._run.world.now < self._asked_until:
                self._run.world.after(2 * SECOND, self._look_for_page)

        self._run.ask_house(look)

    def _row(self, house: LivingHouse) -> tuple[Any, ...]:
        sql = "SELECT hosted_page_url, state FROM payments WHERE payment_id = ?"
        return house.ask_now(lambda connection: connection.execute(sql, (self._payment_id,))[0])

    def _pay(self, url: str) -> None:
        provider, say = self._run.provider, self._run.world.say
        if self._how == "abandons":
            return
        if self._how == "is_declined_first":
            say(f"driver pays with a bad card: {provider.pay(url, 'pm_card_visa_chargeDeclined')}")
        say(f"driver pays {self._payment_id[-6:]}: {provider.pay(url, 'pm_card_visa')}")
        if self._how == "moves":
            self._run.world.after(self._run.luck.randrange(2 * SECOND), self._move)
        if self._how == "cancels":
            self._run.world.after(self._run.luck.randrange(10 * SECOND), self._cancel)

    def _move(self) -> None:
        """The next plug looks better: the hold goes along."""
        other = self._station.plugs[1 - (self._plug.number - 1)]
        evse_id = self._run.evse_ids[self._station.identity, other.number]

        def move(house: LivingHouse) -> None:
            house.write_now(OPERATOR, move_hold, MoveHold(PaymentId(self._payment_id), EvseId(evse_id)), actor="driver")
            if self._plug.visit is self._visit and self._plug.charge is None:
                self._plug.visit = None
                self._station.status(self._plug, "Available")
                if other.visit is None:
                    self._plug = other
                    self._station.plug_in(other, self._visit)
                    self._run.world.after(GIVES_UP_AFTER, self._lose_patience)

        self._run.ask_house(move)

    def _cancel(self) -> None:
        def cancel(house: LivingHouse) -> None:
            house.write_now(OPERATOR, void_hold, VoidHold(PaymentId(self._payment_id), "cancelled"), actor="driver")

        self._run.ask_house(cancel)

    def _lose_patience(self) -> None:
        if self._plug.visit is self._visit and self._plug.charge is None:
            self._station.never_started(self._plug, self._visit)


def give_something_back(run: Simulation, step: Step) -> None:
    """A person gives back a part of the newest payment."""

    def refund(house: LivingHouse) -> None:
        payments = house.write_now(OPERATOR, lambda work, _: work.payments.by(), None, actor="person")
        paid = [one for one in payments if one.returnable_minor >= 3]
        if paid:
            payment = max(paid, key=lambda one: one.payment_id)
            part = payment.returnable_minor // step.told["part"]
            asked = GiveBack(payment.payment_id, money_of(part, payment.currency), "sorry", f"refund {step.at}")
            house.write_now(OPERATOR, give_back, asked, actor="person")

    run.ask_house(refund)


def money_of(minor: int, currency: str) -> Any:
    """So many pence."""
    return money(f"{minor // 100}.{minor % 100:02d}", currency)


def change_price(run: Simulation, step: Step) -> None:
    """From now on another price holds. Who charges already keeps the old one."""

    def change(house: LivingHouse) -> None:
        put = house.write_now(OPERATOR, put_tariff, PutTariff(per_kwh(step.told["price"])), actor="person")
        asked = AssignTariff(put.version.tariff_version_id, valid_from=Instant(run.world.now))
        house.write_now(OPERATOR, assign_tariff, asked, actor="person")

    run.ask_house(change)


def stop_from_afar(run: Simulation, step: Step) -> None:
    """A driver ends the session on the phone."""
    station, plug = run.place(step)

    def stop(house: LivingHouse) -> None:
        evse_id = run.evse_ids[station.identity, plug.number]
        running = house.write_now(
            OPERATOR, lambda work, _: work.queries.open_sessions_at(evse_id), None, actor="driver"
        )
        for session in running:
            assert session.station_id is not None, "it runs at a station"
            command = CommandStation(session.station_id, Action.STOP, session_id=session.session_id)
            house.write_now(OPERATOR, command_station, command, actor="driver")

    run.ask_house(stop)


def work_off_inbox(house: LivingHouse, luck: Random) -> int:
    """A person decides about everything that waits; how much that was."""

    def waiting(work: UnitOfWork, _: None) -> list[tuple[InboxItem, Any]]:
        items = [one for one in work.inbox.by() if one.state.value == "open"]
        return [(one, work.sessions.get(one.session_id) if one.session_id else None) for one in items]

    found = house.write_now(OPERATOR, waiting, None, actor="person")
    for item, session in sorted(found, key=lambda pair: pair[0].item_id):
        for decision in _decisions(item, session, luck):
            reference = "C1" if session is not None and session.payer is PayerKind.UNKNOWN else None
            try:
                asked = ResolveItem(item.item_id, decision, "", reference if decision is Decision.RELEASE else None)
                house.write_now(OPERATOR, resolve_item, asked, actor="person")
            except Conflict:
                continue
            break
    return len(found)


def _decisions(item: InboxItem, session: Any, luck: Random) -> tuple[Decision, ...]:
    """What a person would try, in this order."""
    if item.kind in HOLDING and session is not None and session.state is SessionState.HELD:
        release = luck.random() < 0.6
        return (Decision.RELEASE, Decision.WRITE_OFF) if release else (Decision.WRITE_OFF,)
    if item.kind in {"operation_failed", "operation_not_sent", "payment_goes_round"}:
        return (Decision.RETRY, Decision.DISMISS)
    return (Decision.DISMISS,)
