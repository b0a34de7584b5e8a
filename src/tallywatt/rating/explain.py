"""Pure: the sentences behind reason codes, made only when somebody reads them.

Everything that is stored is a code with parameters. A language is a table of templates.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tallywatt.kernel.clock import Instant, moment, zone
from tallywatt.kernel.money import currency
from tallywatt.rating.german import GERMAN
from tallywatt.rating.records import Dimension, RatedLine, Unit
from tallywatt.rating.tariff import DAYS, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallywatt.rating.offer import ShownLine

ENGLISH: Final[dict[str, str]] = {
    "title.energy": "Energy",
    "title.charging_time": "Charging time",
    "title.idle_time": "Idle time",
    "title.session_fee": "Session fee",
    "title.time_without_clock": "Time, not charged",
    "reason.energy": "Delivered {when}",
    "reason.charging_time": "Charging {when}",
    "reason.idle_time": "Plugged in without asking for power, {when}",
    "reason.session_fee": "Once per session",
    "reason.time_without_clock": "The station's clock could not be relied on, {when}",
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
    "condition.days": "{days}",
    "condition.start_date": "from {start_date}",
    "condition.end_date": "before {end_date}",
    "condition.min_kwh": "beyond {min_kwh} kWh",
    "condition.max_kwh": "up to {max_kwh} kWh",
    "condition.min_power": "at {min_power} kW or more",
    "condition.max_power": "below {max_power} kW",
    "condition.min_current": "at {min_current} A or more",
    "condition.max_current": "below {max_current} A",
    "condition.min_duration": "after {min_duration}",
    "condition.max_duration": "within {max_duration} of the start",
    "assumption.energy_interpolated": "split between two readings",
    "assumption.lower_price_between_readings": "no reading at the change of price, so the lower price holds",
    "assumption.idle_since_energy_ended": "idle since the energy ended",
    "doubt.signal_not_known": "Power or current, for which the tariff asks, is not known for all of the session.",
    "doubt.clock_not_usable": "The station's clock could not be relied on, so no time is charged.",
    "doubt.lower_price_between_readings": "Where no reading was taken at a change of price, the lower price holds.",
    "days.range": "{first} to {last}",
    "duration.hours": "{hours} h",
    "duration.minutes": "{minutes} min",
    "duration.seconds": "{seconds} s",
    "energy": "{kwh} kWh",
    "date": "{day} {month}",
    "months": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "weekdays": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "point": ".",
    "thousands": ",",
}
LANGUAGES: Final[dict[str, dict[str, str]]] = {"en": ENGLISH, "de": GERMAN}
_CONDITIONS: Final = (
    "start_date", "end_date", "min_kwh", "max_kwh", "min_power", "max_power",
    "min_current", "max_current", "min_duration", "max_duration",
)  # fmt: skip


def words(locale: str) -> Mapping[str, str]:
    """The table of a locale's language (`en-GB` finds `en`); English where there is none."""
    return LANGUAGES.get(locale.replace("_", "-").split("-")[0].lower(), ENGLISH)


def figure(text: str, locale: str = "en") -> str:
    """A figure as the language writes it: 1,234.56 is 1.234,56 in German."""
    table = words(locale)
    return text.translate({ord("."): table["point"], ord(","): table["thousands"]})


def title(reason_code: str, locale: str = "en") -> str:
    """What a line is for, in one or two words."""
    return words(locale)[f"title.{reason_code}"]


def sentence(line: RatedLine, zone_name: str, locale: str = "en", *, dated: bool = False) -> str:
    """Why there is this line: what was used when, at which price, and on what it rests.

    `dated` names the day too, for sessions of several days.
    """
    table = words(locale)
    when = _when(line.period_start, line.period_end, zone_name, table, dated=dated)
    parts = [table[f"reason.{line.reason_code}"].format(when=when)]
    said = conditions(line.reason, locale)
    if said:
        parts.append(table["tariff"].format(conditions=said))
    step = line.reason.get("step_size")
    if step is not None and line.quantity:
        parts.append(_step(step, line.dimension, table))
    parts += [table[f"assumption.{assumption}"] for assumption in line.assumptions]
    return "; ".join(parts)


def doubt(code: str, locale: str = "en") -> str:
    """The sentence of a rated result's warning."""
    return words(locale)[f"doubt.{code}"]


def per(dimension: Dimension, locale: str = "en") -> str:
    """What a price is per: kWh, hour, session."""
    return words(locale)[f"per.{dimension}"]


def shown_sentence(line: ShownLine, code: str, locale: str = "en") -> str:
    """A price component as a driver reads it before the start: 0.45 GBP per kWh, Monday to Friday, 07:00 to 17:00."""
    table = words(locale)
    parts = [f"{price_text(line.unit_price, currency(code).exponent, locale)} {code} {per(line.dimension, locale)}"]
    said = table["otherwise"] if line.otherwise else conditions(line.conditions, locale)
    if said:
        parts.append(said)
    if "step_size" in line.conditions:
        parts.append(_step(line.conditions["step_size"], line.dimension, table))
    return ", ".join(parts)


def conditions(restrictions: Mapping[str, Any], locale: str = "en") -> str:
    """Restrictions in words; empty where there are none."""
    table = words(locale)
    parts = []
    if restrictions.get("day_of_week"):
        parts.append(_days([DAYS.index(day) for day in restrictions["day_of_week"]], table))
    if "start_time" in restrictions or "end_time" in restrictions:
        start = restrictions.get("start_time", "00:00")
        end = restrictions.get("end_time", "00:00")
        parts.append(table["condition.times"].format(start_time=start, end_time=end))
    for name in _CONDITIONS:
        if name in restrictions:
            value = restrictions[name]
            if name.endswith("duration"):
                said = duration(int(value) * 1000, locale)
            else:
                said = value if name.endswith("date") else figure(str(value), locale)
            parts.append(table[f"condition.{name}"].format(**{name: said}))
    return ", ".join(parts)


def quantity(line: RatedLine, locale: str = "en", *, places: int = 3) -> str:
    """The billed quantity with its unit: 12.345 kWh, 1 h 25 min, 1. Energy has at least so many places."""
    if line.unit is Unit.MILLIWATT_HOURS:
        return words(locale)["energy"].format(kwh=kwh_text(line.quantity, places, locale))
    return duration(line.quantity, locale) if line.unit is Unit.MILLISECONDS else str(line.quantity)


def kwh_text(milliwatt_hours: int, places: int = 3, locale: str = "en") -> str:
    """Kilowatt-hours with at least so many places, and as many as they have: what is printed is what was billed."""
    text = f"{Decimal(milliwatt_hours).scaleb(-6):.6f}"
    return figure(f"{text[: places - 6 or None]}{text[places - 6 :].rstrip('0')}" if places < 6 else text, locale)


def price_text(price: Decimal, places: int = 2, locale: str = "en") -> str:
    """A unit price with at least so many places, and as many as it has: 0.45, 0.3333, 1,200.00."""
    return figure(f"{price:,.{max(places, len(plain(price).partition('.')[2]))}f}", locale)


def duration(milliseconds: int, locale: str = "en") -> str:
    """A length of time: 1 h 25 min, 42 min, 12 min 30 s; parts of a second are left out."""
    table = words(locale)
    hours, rest = divmod(milliseconds // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = []
    if hours:
        parts.append(table["duration.hours"].format(hours=hours))
    if minutes or (hours and seconds):
        parts.append(table["duration.minutes"].format(minutes=minutes))
    if seconds or not parts:
        parts.append(table["duration.seconds"].format(seconds=seconds))
    return " ".join(parts)


def date_text(at: Instant, zone_name: str, locale: str = "en") -> str:
    """A day without its year, in a zone: 24 Aug."""
    table, local = words(locale), moment(at, zone(zone_name))
    return table["date"].format(day=local.day, month=table["months"].split()[local.month - 1])


def _when(start: Instant, end: Instant, zone_name: str, table: Mapping[str, str], *, dated: bool) -> str:
    here, there = moment(start, zone(zone_name)), moment(end, zone(zone_name))
    months = table["months"].split()
    pattern = "when.days" if here.date() != there.date() else "when.dated" if dated else "when.day"
    return table[pattern].format(
        start=f"{here:%H:%M}",
        end=f"{there:%H:%M}",
        start_day=table["date"].format(day=here.day, month=months[here.month - 1]),
        end_day=table["date"].format(day=there.day, month=months[there.month - 1]),
    )


def _days(days: list[int], table: Mapping[str, str]) -> str:
    """Days of the week in words; three or more in a row as a range."""
    names = table["weekdays"].split()
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = []
    for run in runs:
        if len(run) > 2:
            parts.append(table["days.range"].format(first=names[run[0]], last=names[run[-1]]))
        else:
            parts += [names[day] for day in run]
    return ", ".join(parts)


def _step(step: int, dimension: Dimension, table: Mapping[str, str]) -> str:
    if dimension is Dimension.ENERGY:
        return table["step.energy"].format(size=f"{step} Wh" if step % 1000 else f"{step // 1000} kWh")
    minutes, seconds = divmod(step, 60)
    parts = [table["duration.minutes"].format(minutes=minutes)] if minutes else []
    parts += [table["duration.seconds"].format(seconds=seconds)] if seconds else []
    return table["step.time"].format(size=" ".join(parts))
