"""Pure: the sentences behind reason codes, made only when somebody reads them.

Everything that is stored is a code with parameters. English is the table below, any other language a catalogue of it
(`tongue`): to add a code, add its English here, then `make locale` and translate what it lists.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant, moment, zone
from tallywatt.kernel.money import currency
from tallywatt.rating.records import Dimension, RatedLine, Unit
from tallywatt.rating.tariff import DAYS, plain
from tallywatt.rating.tongue import tongue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.rating.offer import ShownLine

ENGLISH: Final[dict[str, str]] = {
    "title.energy": "Energy",
    "title.charging_time": "Charging time",
    "title.idle_time": "Idle time",
    "title.idle_time_free": "Idle time, free of charge",
    "title.session_fee": "Session fee",
    "title.time_without_clock": "Time, not charged",
    "title.energy_fed_back": "Energy fed back",
    "title.reservation_time": "Reservation",
    "title.reservation_fee": "Reservation fee",
    "title.expired_reservation_time": "Reservation, not used",
    "title.expired_reservation_fee": "Fee for a reservation not used",
    "title.minimum_price": "Minimum price",
    "title.maximum_price": "Maximum price",
    "title.cap": "Cap",
    "title.discount": "Discount",
    "title.coupon": "Coupon",
    "reason.energy": "Delivered {when}",
    "reason.charging_time": "Charging {when}",
    "reason.idle_time": "Plugged in without asking for power, {when}",
    "reason.idle_time_free": "Plugged in without asking for power, {when}, when that costs nothing",
    "reason.session_fee": "Once per session",
    "reason.time_without_clock": "The station's clock could not be relied on, {when}",
    "reason.energy_fed_back": "Given by the vehicle {when}",
    "reason.reservation_time": "Kept for you {when}",
    "reason.reservation_fee": "Once per reservation",
    "reason.expired_reservation_time": "Kept for you and not used, {when}",
    "reason.expired_reservation_fee": "Once for a reservation that was not used",
    "reason.minimum_price": "Added up to the least that a session costs",
    "reason.maximum_price": "Taken off above the most that a session costs",
    "reason.cap": "Taken off: {most}",
    "reason.discount": "Taken off: {off}",
    "reason.coupon": "Taken off by your coupon: {off}",
    "cap.session": "at most {limit} for a session",
    "cap.day": "at most {limit} for all sessions of a day",
    "cap.that_day": "at most {limit} for all sessions of {day}",
    "discount.of": "{off} ({name})",
    "discount.percent": "{percent} % off",
    "discount.amount": "{amount} off",
    "concerning": "for {dimensions}",
    "before_taxes": "before tax",
    "dimension.ENERGY": "energy",
    "dimension.TIME": "charging time",
    "dimension.PARKING_TIME": "idle time",
    "dimension.FLAT": "the session fee",
    "per.ENERGY": "per kWh",
    "per.TIME": "per hour",
    "per.PARKING_TIME": "per hour idle",
    "per.FLAT": "per session",
    "when.day": "{start} to {end}",
    "when.dated": "{start_day} {start} to {end}",
    "when.days": "{start_day} {start} to {end_day} {end}",
    "tariff": "price {conditions}",
    "otherwise": "otherwise",
    "step.energy": "billed per {size}",
    "step.time": "billed per started {size}",
    "condition.times": "{start_time} to {end_time}",
    "condition.start_date": "from {start_date}",
    "condition.end_date": "before {end_date}",
    "condition.min_kwh": "beyond {min_kwh} kWh",
    "condition.max_kwh": "up to {max_kwh} kWh",
    "condition.min_month_kwh": "beyond {min_month_kwh} kWh in the calendar month",
    "condition.max_month_kwh": "up to {max_month_kwh} kWh in the calendar month",
    "condition.min_power": "at {min_power} kW or more",
    "condition.max_power": "below {max_power} kW",
    "condition.min_current": "at {min_current} A or more",
    "condition.max_current": "below {max_current} A",
    "condition.min_duration": "after {min_duration}",
    "condition.max_duration": "within {max_duration} of the start",
    "condition.grace": "after {grace} without charging",
    "condition.grace_retroactive": "from the start of idling, if it lasts longer than {grace}",
    "condition.idle_free": "not {windows}",
    "condition.idle_below": "after {time} below {power} where no status is told",
    "condition.follows_market": "follows the market price of {market}, every {slot}",
    "condition.market_price": "market price {price} per kWh in {market}",
    "condition.market_price_missing": "where the market price of {market} was not known",
    "assumption.energy_interpolated": "split between two readings",
    "assumption.lower_price_between_readings": "no reading at the change of price, so the lower price holds",
    "assumption.idle_since_energy_ended": "idle since the energy ended",
    "assumption.idle_below_power": "idle since the vehicle had taken less than {power} for {time}",
    "doubt.signal_not_known": "Power or current, for which the tariff asks, is not known for all of the session.",
    "doubt.clock_not_usable": "The station's clock could not be relied on, so no time is charged.",
    "doubt.lower_price_between_readings": "Where no reading was taken at a change of price, the lower price holds.",
    "doubt.market_price_missing": "For some of the energy no market price was known, so the tariff's own rule holds.",
    "doubt.market_price_awaited": "For some of the energy no market price was known: a person looks at it first.",
    "days.range": "{first} to {last}",
    "duration.hours": "{hours} h",
    "duration.minutes": "{minutes} min",
    "duration.seconds": "{seconds} s",
    "energy": "{kwh} kWh",
}
_CONDITIONS: Final = (
    "start_date", "end_date", "min_kwh", "max_kwh", "min_month_kwh", "max_month_kwh", "min_power", "max_power",
    "min_current", "max_current", "min_duration", "max_duration",
)  # fmt: skip


def title(reason_code: str, locale: str = "en") -> str:
    """What a line is for, in one or two words."""
    return _say(f"title.{reason_code}", locale)


def sentence(line: RatedLine, zone_name: str, locale: str = "en", *, dated: bool = False) -> str:
    """Why there is this line: what was used when, at which price, and on what it rests.

    `dated` names the day too, for sessions of several days.
    """
    when = _when(line.period_start, line.period_end, zone_name, locale, dated=dated)
    parts = [_say(f"reason.{line.reason_code}", locale, when=when, **_taken_off(line.reason, locale))]
    # Of low power the assumption speaks, where it came to that.
    said = conditions({name: value for name, value in line.reason.items() if name != "idle_below"}, locale)
    if said:
        parts.append(_say("tariff", locale, conditions=said))
    step = line.reason.get("step_size")
    if step is not None and line.quantity:
        parts.append(_step(step, line.dimension, locale))
    power = _power(line.reason["idle_below"], locale) if "idle_below" in line.reason else {}
    parts += [_say(f"assumption.{assumption}", locale, **power) for assumption in line.assumptions]
    return "; ".join(parts)


def _taken_off(reason: Mapping[str, Any], locale: str) -> dict[str, str]:
    """What a cap or a discount promises, for its line."""
    if "cap" in reason:
        return {"most": cap_words(reason["cap"], reason["cap"]["currency"], locale)}
    if "discount" in reason:
        return {"off": discount_words(reason["discount"], reason["discount"].get("currency", ""), locale)}
    return {}


def cap_words(cap: Mapping[str, Any], code: str, locale: str = "en") -> str:
    """A cap as a driver reads it: at most £20.00 for all sessions of a day, for idle time."""
    key = "cap.that_day" if "day" in cap else f"cap.{cap['per']}"
    day = tongue(locale).date(date.fromisoformat(cap["day"])) if "day" in cap else ""
    return ", ".join([_say(key, locale, limit=_amount(cap, code, locale), day=day), *_concerning(cap, locale)])


def discount_words(discount: Mapping[str, Any], code: str, locale: str = "en") -> str:
    """A discount as a driver reads it: 10 % off (SPRING), for energy, before 1 Apr 2026. Without an id it is not named."""
    if "percent" in discount:
        off = _say("discount.percent", locale, percent=figure(discount["percent"], locale))
    else:
        off = _say("discount.amount", locale, amount=_amount(discount, code, locale))
    named = _say("discount.of", locale, off=off, name=discount["id"]) if "id" in discount else off
    parts = [named, *_concerning(discount, locale)]
    said = conditions({name: discount[name] for name in ("start_date", "end_date") if name in discount}, locale)
    return ", ".join([*parts, said] if said else parts)


def _amount(data: Mapping[str, Any], code: str, locale: str) -> str:
    """The amount after taxes if there is one, else that before, with the word for it."""
    exponent = currency(code).exponent
    gross = data.get("after_taxes")
    amount = Decimal(gross if gross is not None else data["before_taxes"])
    said = tongue(locale).money(amount, code, max(exponent, len(plain(amount).partition(".")[2])))
    return said if gross is not None else f"{said} ({_say('before_taxes', locale)})"


def _concerning(data: Mapping[str, Any], locale: str) -> list[str]:
    names = [_say(f"dimension.{one}", locale) for one in data.get("dimensions", ())]
    return [_say("concerning", locale, dimensions=", ".join(names))] if names else []


def doubt(code: str, locale: str = "en") -> str:
    """The sentence of a rated result's warning."""
    return _say(f"doubt.{code}", locale)


def per(dimension: Dimension, locale: str = "en") -> str:
    """What a price is per: kWh, hour, session."""
    return _say(f"per.{dimension}", locale)


def unit_price(price: Decimal, code: str, dimension: Dimension, locale: str = "en") -> str:
    """A price with what it is per: £0.45 per kWh."""
    places = max(currency(code).exponent, len(plain(price).partition(".")[2]))
    return f"{tongue(locale).money(price, code, places)} {per(dimension, locale)}"


def amount(exact: Decimal, code: str, locale: str = "en") -> str:
    """An amount to the smallest unit that is paid; one that is less than it, with as many places as it has."""
    unit = Decimal(1).scaleb(-currency(code).exponent)
    rounded = exact.quantize(unit, ROUND_HALF_UP)
    shown = rounded if rounded or not exact else exact
    return tongue(locale).money(shown, code, max(currency(code).exponent, len(plain(shown).partition(".")[2])))


def shown_sentence(line: ShownLine, code: str, locale: str = "en") -> str:
    """A price component as a driver reads it before the start: £0.45 per kWh, Monday to Friday, 07:00 to 17:00."""
    parts = [unit_price(line.unit_price, code, line.dimension, locale)]
    if line.otherwise:
        parts.append(_say("otherwise", locale))
    # What applies otherwise has no restrictions; a grace is none.
    said = conditions(line.conditions, locale)
    if said:
        parts.append(said)
    if "step_size" in line.conditions:
        parts.append(_step(line.conditions["step_size"], line.dimension, locale))
    return ", ".join(parts)


def conditions(restrictions: Mapping[str, Any], locale: str = "en") -> str:
    """Restrictions in words; empty where there are none."""
    spoken = tongue(locale)
    parts = []
    if restrictions.get("day_of_week"):
        parts.append(_days([DAYS.index(day) for day in restrictions["day_of_week"]], locale))
    if "start_time" in restrictions or "end_time" in restrictions:
        start = spoken.clock(restrictions.get("start_time", "00:00"))
        end = spoken.clock(restrictions.get("end_time", "00:00"))
        parts.append(_say("condition.times", locale, start_time=start, end_time=end))
    if "idle_grace" in restrictions:
        grace = restrictions["idle_grace"]
        key = "condition.grace_retroactive" if grace["retroactive"] else "condition.grace"
        parts.append(_say(key, locale, grace=duration(grace["seconds"] * 1000, locale)))
    if "idle_free" in restrictions:
        windows = " / ".join(conditions(one, locale) for one in restrictions["idle_free"])
        parts.append(_say("condition.idle_free", locale, windows=windows))
    if "idle_below" in restrictions:
        parts.append(_say("condition.idle_below", locale, **_power(restrictions["idle_below"], locale)))
    if "index" in restrictions:
        parts.append(_market(restrictions["index"], locale))
    for name in _CONDITIONS:
        if name in restrictions:
            value = restrictions[name]
            if name.endswith("duration"):
                said = duration(int(value) * 1000, locale)
            else:
                said = spoken.date(date.fromisoformat(value)) if name.endswith("date") else spoken.figure(str(value))
            parts.append(_say(f"condition.{name}", locale, **{name: said}))
    return ", ".join(parts)


def _power(below: Mapping[str, Any], locale: str) -> dict[str, str]:
    """From which power on a vehicle idles, and after how long."""
    return {"power": f"{figure(str(below['watts']), locale)} W", "time": duration(below["seconds"] * 1000, locale)}


def _market(index: Mapping[str, Any], locale: str) -> str:
    market = index["market"]
    if "missing" in index:
        return _say("condition.market_price_missing", locale, market=market)
    if "market_price" in index:
        return _say("condition.market_price", locale, market=market, price=figure(index["market_price"], locale))
    return _say("condition.follows_market", locale, market=market, slot=duration(index["minutes"] * 60_000, locale))


def quantity(line: RatedLine, locale: str = "en", *, places: int = 3) -> str:
    """The billed quantity with its unit: 12.345 kWh, 1 h 25 min, 1. Energy has at least so many places."""
    if line.unit is Unit.MILLIWATT_HOURS:
        return energy(line.quantity, locale, places=places)
    return duration(line.quantity, locale) if line.unit is Unit.MILLISECONDS else str(line.quantity)


def energy(milliwatt_hours: int, locale: str = "en", *, places: int = 3) -> str:
    """So much energy, with at least so many places: 12.345 kWh."""
    return _say("energy", locale, kwh=kwh_text(milliwatt_hours, places, locale))


def headline(shown: Mapping[str, Any], code: str, locale: str = "en") -> str:
    """The prices with which a session would begin, of what is shown, in a few words: £0.45 per kWh + £1.00 per session."""
    return " + ".join(
        unit_price(Decimal(line["price"]), code, Dimension(line["dimension"]), locale)
        for line in shown["lines"]
        if line["applies_now"] and Decimal(line["price"])
    )


def figure(text: str, locale: str = "en") -> str:
    """A figure as the language writes it: 1,234.56 is 1.234,56 in German."""
    return tongue(locale).figure(text)


def kwh_text(milliwatt_hours: int, places: int = 3, locale: str = "en") -> str:
    """Kilowatt-hours with at least so many places, and as many as they have: what is printed is what was billed."""
    text = f"{Decimal(milliwatt_hours).scaleb(-6):.6f}"
    return figure(f"{text[: places - 6 or None]}{text[places - 6 :].rstrip('0')}" if places < 6 else text, locale)


def price_text(price: Decimal, places: int = 2, locale: str = "en") -> str:
    """A unit price with at least so many places, and as many as it has: 0.45, 0.3333, 1,200.00."""
    return figure(f"{price:,.{max(places, len(plain(price).partition('.')[2]))}f}", locale)


def duration(milliseconds: int, locale: str = "en") -> str:
    """A length of time: 1 h 25 min, 42 min, 12 min 30 s; parts of a second are left out."""
    hours, rest = divmod(milliseconds // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = []
    if hours:
        parts.append(_say("duration.hours", locale, hours=hours))
    if minutes or (hours and seconds):
        parts.append(_say("duration.minutes", locale, minutes=minutes))
    if seconds or not parts:
        parts.append(_say("duration.seconds", locale, seconds=seconds))
    return " ".join(parts)


def date_text(at: Instant, zone_name: str, locale: str = "en") -> str:
    """A day without its year, in a zone: 24 Aug."""
    return tongue(locale).day(moment(at, zone(zone_name)))


def _say(key: str, locale: str, **parameters: object) -> str:
    return tongue(locale).say(key, ENGLISH[key]).format(**parameters)


def _when(start: Instant, end: Instant, zone_name: str, locale: str, *, dated: bool) -> str:
    spoken, here, there = tongue(locale), moment(start, zone(zone_name)), moment(end, zone(zone_name))
    pattern = "when.days" if here.date() != there.date() else "when.dated" if dated else "when.day"
    return _say(
        pattern,
        locale,
        start=spoken.time(here),
        end=spoken.time(there),
        start_day=spoken.day(here),
        end_day=spoken.day(there),
    )


def _days(days: list[int], locale: str) -> str:
    """Days of the week in words; three or more in a row as a range."""
    names = tongue(locale).weekdays
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = []
    for run in runs:
        if len(run) > 2:
            parts.append(_say("days.range", locale, first=names[run[0]], last=names[run[-1]]))
        else:
            parts += [names[day] for day in run]
    return ", ".join(parts)


def _step(step: int, dimension: Dimension, locale: str) -> str:
    if dimension is Dimension.ENERGY:
        size = f"{step} Wh" if step % 1000 else f"{step // 1000} kWh"
        return _say("step.energy", locale, size=figure(size, locale))
    return _say("step.time", locale, size=duration(step * 1000, locale))
