"""Pure: a tariff as its page shows it: in words, as lines, and what an example session would cost under it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages import language
from tallywatt.entrypoints.pages.cost_chart import SESSIONS, about, drawn
from tallywatt.kernel import clock
from tallywatt.kernel.clock import Instant
from tallywatt.rating.example import Example, price_example
from tallywatt.rating.explain import cap_words, discount_words, doubt, quantity, sentence, shown_sentence, title
from tallywatt.rating.findings import finding_data
from tallywatt.rating.offer import price_shown, shown_data
from tallywatt.rating.tariff import cap_data, discount_data
from tallywatt.rating.typical import simulate, simulated_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tallywatt.rating.findings import Finding
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff

Row = dict[str, Any]

MOST_MINUTES: Final = 7 * 24 * 60
MOST_KWH: Final = 1000
MS_PER_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class Imagined:
    """An example session as somebody types it; what cannot be meant is taken as the default."""

    kwh: str = "20"
    start: str = "18:00"
    charging: str = "60"
    idle: str = "30"

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Imagined:
        """From the fields of a form or an address."""
        default = cls()
        return cls(
            given.get("kwh", "").strip().replace(",", ".") or default.kwh,
            given.get("start", "").strip() or default.start,
            given.get("charging", "").strip() or default.charging,
            given.get("idling", "").strip() or default.idle,
        )

    def example(self, day: Instant, zone: str) -> Example:
        """The example on the day of an instant, in a zone."""
        hours, minutes = _time(self.start)
        midnight = clock.moment(day, clock.zone(zone)).replace(hour=hours, minute=minutes, second=0, microsecond=0)
        return Example(
            clock.instant(midnight),
            int(_figure(self.kwh, Decimal(20), MOST_KWH) * 1_000_000),
            max(1, int(_figure(self.charging, Decimal(60), MOST_MINUTES))),
            int(_figure(self.idle, Decimal(0), MOST_MINUTES)),
        )


def findings_told(findings: Iterable[Finding]) -> list[Row]:
    """What was found in a tariff, in the reader's language."""
    return [finding_data(one, language.language(), language.gettext) for one in findings]


def costs_of(tariff: Tariff, policy: Policy, zone: str, at: Instant) -> Row:
    """What typical sessions would cost on the day of an instant: a chart, and the figures behind it."""
    rows = simulated_data(simulate(tariff, policy, zone, clock.local_date(at, zone)))
    return {
        "chart": drawn(rows),
        "rows": [{**row, "title": language.gettext(SESSIONS[row["session"]]), "about": about(row)} for row in rows],
    }


def view(tariff: Tariff, policy: Policy, zone: str, at: Instant, imagined: Imagined) -> Row:
    """All that the page shows of a tariff."""
    spoken = language.language()
    shown = price_shown(tariff, at, zone)
    return {
        "reference": tariff.reference,
        "name": tariff.name,
        "currency": tariff.currency.code,
        "version_id": tariff.version_id,
        "sentences": [
            *(shown_sentence(line, tariff.currency.code, spoken) for line in shown.lines),
            *(cap_words(cap_data(one), tariff.currency.code, spoken) for one in shown.caps),
            *(discount_words(discount_data(one), tariff.currency.code, spoken) for one in shown.discounts),
        ],
        "price": shown_data(shown),
        "unread": list(tariff.unread),
        "json": json.dumps(json.loads(tariff.canonical), indent=2, ensure_ascii=False),
        "cost": _cost(tariff, policy, zone, imagined.example(at, zone), spoken),
        "imagined": imagined,
    }


def _cost(tariff: Tariff, policy: Policy, zone: str, example: Example, spoken: str) -> Row:
    rows = price_example(example, tariff, policy, zone)
    return {
        "final": True,
        "currency": rows.result.currency,
        "gross_minor": rows.result.gross_minor,
        "net_minor": rows.result.net_minor,
        "doubts": [doubt(code, spoken) for code in rows.result.warnings],
        "taxes": [
            {"tax_rate": None if one.tax_rate is None else str(one.tax_rate), "tax_minor": one.tax_minor}
            for one in rows.taxes
        ],
        "lines": [
            {
                "title": title(line.reason_code, spoken),
                "sentence": sentence(line, zone, spoken),
                "quantity_text": quantity(line, spoken),
                "unit_price": str(line.unit_price),
                "gross_minor": line.gross_minor,
            }
            for line in rows.lines
        ],
    }


def _figure(text: str, default: Decimal, most: int) -> Decimal:
    try:
        figure = Decimal(text)
    except InvalidOperation:
        return default
    return min(max(figure, Decimal(0)), Decimal(most)) if figure.is_finite() else default


def _time(text: str) -> tuple[int, int]:
    hours, _, minutes = text.partition(":")
    if hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60:
        return int(hours), int(minutes)
    return 18, 0
