"""Pure: the sentences of `explain` in German. The keys and the names in braces are those of English; a test compares them."""

from __future__ import annotations

from typing import Final

GERMAN: Final[dict[str, str]] = {
    "title.energy": "Energie",
    "title.charging_time": "Ladezeit",
    "title.idle_time": "Blockiergebühr",
    "title.session_fee": "Startgebühr",
    "title.time_without_clock": "Zeit, nicht berechnet",
    "reason.energy": "Geladen {when}",
    "reason.charging_time": "Ladezeit {when}",
    "reason.idle_time": "Angesteckt, ohne Strom abzunehmen, {when}",
    "reason.session_fee": "Einmal pro Ladevorgang",
    "reason.time_without_clock": "Die Uhr der Ladestation war nicht verlässlich, {when}",
    "per.ENERGY": "pro kWh",
    "per.TIME": "pro Stunde",
    "per.PARKING_TIME": "pro Stunde Blockierzeit",
    "per.FLAT": "pro Ladevorgang",
    "when.day": "{start} bis {end} Uhr",
    "when.dated": "{start_day} {start} bis {end} Uhr",
    "when.days": "{start_day} {start} Uhr bis {end_day} {end} Uhr",
    "tariff": "Preis: {conditions}",
    "otherwise": "sonst",
    "step.energy": "abgerechnet pro {size}",
    "step.time": "abgerechnet pro angefangene {size}",
    "condition.times": "{start_time} bis {end_time} Uhr",
    "condition.days": "{days}",
    "condition.start_date": "ab {start_date}",
    "condition.end_date": "vor {end_date}",
    "condition.min_kwh": "über {min_kwh} kWh",
    "condition.max_kwh": "bis {max_kwh} kWh",
    "condition.min_power": "ab {min_power} kW",
    "condition.max_power": "unter {max_power} kW",
    "condition.min_current": "ab {min_current} A",
    "condition.max_current": "unter {max_current} A",
    "condition.min_duration": "nach {min_duration}",
    "condition.max_duration": "in den ersten {max_duration}",
    "assumption.energy_interpolated": "zwischen zwei Zählerständen aufgeteilt",
    "assumption.lower_price_between_readings": "kein Zählerstand beim Preiswechsel, daher gilt der niedrigere Preis",
    "assumption.idle_since_energy_ended": "ohne Stromabnahme seit dem Ende der Energielieferung",
    "doubt.signal_not_known": (
        "Leistung oder Strom, nach denen der Tarif fragt, sind nicht für den ganzen Ladevorgang bekannt."
    ),
    "doubt.clock_not_usable": "Die Uhr der Ladestation war nicht verlässlich, daher wird keine Zeit berechnet.",
    "doubt.lower_price_between_readings": (
        "Wo beim Preiswechsel kein Zählerstand vorliegt, gilt der niedrigere Preis."
    ),
    "days.range": "{first} bis {last}",
    "duration.hours": "{hours} h",
    "duration.minutes": "{minutes} min",
    "duration.seconds": "{seconds} s",
    "energy": "{kwh} kWh",
    "date": "{day}. {month}",
    "months": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
    "weekdays": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "point": ",",
    "thousands": ".",
}
