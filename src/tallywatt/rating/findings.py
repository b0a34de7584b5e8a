"""Pure: what is found in a tariff before it holds anywhere: a stable code, where, what it means, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tallywatt.rating import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Gravity(StrEnum):
    """How bad it is, from the worst to the least."""

    ERROR = "error"
    """It cannot be what was meant, or a rule forbids it."""
    WARNING = "warning"
    """It may be meant; most times it is not."""
    NOTE = "note"
    """Good to know."""


class Words(NamedTuple):
    """How a code is told: its gravity, the sentence, and the remedy; what stands in %()s are the finding's parameters."""

    gravity: Gravity
    message: str
    remedy: str


_ERROR, _WARNING, _NOTE = Gravity.ERROR, Gravity.WARNING, Gravity.NOTE
WORDS: Final[dict[str, Words]] = {
    "lint.refused": Words(_ERROR, "%(said)s", "%(remedy)s"),
    "lint.misspelt_key": Words(
        _ERROR,
        "Nothing reads “%(key)s”, so it has no effect on any price.",
        "It looks like “%(like)s”: correct it, or leave it out.",
    ),
    "lint.unknown_key": Words(
        _WARNING, "Nothing reads “%(key)s”, so it has no effect on any price.", "Leave it out, or see OCPI for its name."
    ),
    "lint.never_applies": Words(
        _ERROR,
        "This element never applies: %(low)s is not below %(high)s.",
        "Lower bounds are included and upper bounds are not: make the lower one smaller.",
    ),
    "lint.unreachable": Words(
        _ERROR,
        "The price for %(dimension)s is never used: the elements before it (%(earlier)s) apply wherever it would.",
        "Put the narrower element first: of each dimension the first one that applies counts.",
    ),
    "lint.overlap": Words(
        _WARNING,
        "Two prices for %(dimension)s apply at once (%(when)s); the one in element %(first)s counts.",
        "Let one window end where the other begins, or put the one that should count first.",
    ),
    "lint.gap": Words(
        _WARNING,
        "No price for %(dimension)s applies here: %(when)s. It is free then.",
        "Add an element without restrictions as the last one; at price 0 if it is meant to be free.",
    ),
    "lint.no_price_without_signal": Words(
        _WARNING,
        "Every price for %(dimension)s asks for power or current; where a station does not tell them, it is free.",
        "Add an element without restrictions as the last one.",
    ),
    "lint.whole_day": Words(
        _WARNING,
        "A window that ends when it begins (%(time)s) is read as the whole day; others may read it as never.",
        "Leave both times out, or write the end that is meant.",
    ),
    "lint.zero_step": Words(
        _WARNING,
        "A step_size of 0 is no block: what was measured is billed. Some partners divide by it.",
        "Write 1.",
    ),
    "lint.large_step": Words(
        _WARNING,
        "Whole blocks of %(size)s are billed, so drivers pay for more than they took.",
        "Write 1, unless the blocks are agreed and shown.",
    ),
    "lint.price_jump": Words(
        _WARNING,
        "Prices for %(dimension)s in one tariff are %(low)s and %(high)s: %(times)s times as much.",
        "Look for a point that is out of place.",
    ),
    "lint.price_changed": Words(
        _WARNING,
        "The highest price for %(dimension)s goes from %(before)s to %(after)s with this version.",
        "Look for a point that is out of place; if it is meant, nothing is to be done.",
    ),
    "lint.price_far_out": Words(
        _WARNING,
        "%(price)s for %(dimension)s is far from what is usual.",
        "Prices are in %(currency)s, not in its hundredth part, and per kWh or per hour: look again.",
    ),
    "lint.negative_price": Words(
        _WARNING, "A price below zero gives drivers money for %(dimension)s.", "If it is meant, nothing is to be done."
    ),
    "lint.tax_basis_not_told": Words(
        _WARNING,
        "Nothing says whether prices include tax; before OCPI 2.3.0 that means that they do not.",
        "Say it: \"tax_included\": \"YES\" for consumer prices, \"NO\" for prices to which tax is added. Without it no "
        "tariff is taken here.",
    ),
    "lint.tax_missing": Words(
        _WARNING,
        "No tax rate is given for %(dimension)s: its invoices show no tax.",
        "Add “vat” in percent; 0 is a rate too.",
    ),
    "lint.taxes_differ": Words(
        _NOTE, "Prices for %(dimension)s carry different tax rates: %(rates)s.", "If it is meant, nothing is to be done."
    ),
    "lint.power_without_idle_price": Words(
        _WARNING,
        "It is said from which power on a vehicle idles, and nothing prices idling at all.",
        "Add a price of PARKING_TIME, or leave the power out.",
    ),
    "lint.free_without_idle_price": Words(
        _WARNING,
        "Windows are given in which idling costs nothing, and nothing prices idling at all.",
        "Add a price of PARKING_TIME, or leave the windows out.",
    ),
    "lint.market_without_prices": Words(
        _WARNING,
        "No prices of the market %(market)s are known (%(minutes)s minutes, %(currency)s), so its price follows nothing.",
        "Bring them: tallywatt market-prices import FILE. Until then the rule for a missing price holds.",
    ),
    "lint.falls_back_to_nothing": Words(
        _WARNING,
        "Where the price of the market %(market)s is not known, energy is free.",
        "Give the component the price that is to hold then.",
    ),
    "lint.counts_from_start": Words(
        _NOTE,
        "The idle price begins %(time)s after the start of the session, not after the end of charging.",
        "OCPI 2.x cannot say “minutes after charging”; a long charge may be idle at once.",
    ),
    "lint.never_valid": Words(
        _ERROR, "The tariff ends (%(end)s) before it begins (%(start)s).", "Correct start_date_time or end_date_time."
    ),
    "lint.cap_never_reached": Words(
        _WARNING,
        "A cap of %(cap)s for a session is never reached: the maximum price is %(most)s.",
        "Leave one of both out.",
    ),
    "lint.cap_below_minimum": Words(
        _WARNING,
        "The cap of %(cap)s is below the minimum price of %(least)s; the cap holds.",
        "Lower the minimum price, or raise the cap.",
    ),
    "lint.nothing_to_take_off": Words(
        _ERROR, "No price for %(dimensions)s is above zero, so nothing is taken off.", "Name what has a price."
    ),
    "lint.all_is_free": Words(
        _WARNING, "A discount of everything without an end makes every session free.", "Give it an end, or price at 0."
    ),
    "lint.over": Words(
        _NOTE, "This element applied before %(end)s and never again.", "Leave it out of the next version."
    ),
    "law.energy_and_idle_only": Words(
        _ERROR,
        "%(rule)s: from %(power)s on, a price is per kWh, and beside it only per minute of idle time; here %(dimension)s "
        "has a price.",
        "Price energy, and idle time if long stays should cost; put this tariff at other stations.",
    ),
    "law.exact_per_minute": Words(
        _ERROR,
        "%(rule)s: time is shown per minute, and %(price)s per hour is no exact price per minute.",
        "Take a price per hour that 60 divides: %(near)s.",
    ),
    "law.energy_priced": Words(
        _ERROR,
        "%(rule)s: a price has to be per kWh, and this tariff has none for energy.",
        "Price energy; other components may stand beside it.",
    ),
    "law.taxes_included": Words(
        _ERROR,
        "%(rule)s: consumers are shown prices with tax, and these are before tax.",
        "Write “tax_included”: “YES” with prices that include it.",
    ),
    "law.currency": Words(
        _ERROR, "%(rule)s: prices are in %(wanted)s; this tariff is in %(currency)s.", "Make a tariff in %(wanted)s."
    ),
    "law.fixed_at_start": Words(
        _ERROR,
        "%(rule)s: the price at the start of a session may not change during it, and the price for %(dimension)s depends on "
        "the time of day or the date.",
        "Use one price for energy, or a tariff for each time that is assigned for it.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    code: str
    path: str
    """Where in the tariff's JSON: `elements[1].restrictions.start_time`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the words name. A mapping is restrictions in OCPI's words; they are said in the reader's language."""
    rule: str = ""
    """Of a finding of law: the rule's code (`law.rules`)."""
    places: tuple[str, ...] = ()
    """Of a finding of law: the kinds of charging points for which it holds."""
    softened: bool = False
    """Whether the rule's text could not be read by who wrote the rule down: it is told as a warning then."""

    @property
    def gravity(self) -> Gravity:
        """How bad it is."""
        worst = WORDS[self.code].gravity
        return Gravity.WARNING if self.softened and worst is Gravity.ERROR else worst


def told(
    finding: Finding, locale: str = "en", translated: Callable[[str], str] = lambda sentence: sentence
) -> tuple[str, str]:
    """The sentence and the remedy. `translated` finds the templates' sentences in the language of `locale`."""
    words = WORDS[finding.code]
    said = {
        name: explain.conditions(value, locale) or translated(ALWAYS)
        if isinstance(value, dict)
        else _said(value, translated)
        for name, value in finding.parameters.items()
    }
    return translated(words.message) % said, translated(words.remedy) % said


ALWAYS: Final = "at any time"
DIMENSIONS: Final = {"ENERGY": "energy", "TIME": "charging time", "PARKING_TIME": "idle time", "FLAT": "the session"}


def _said(value: Any, translated: Callable[[str], str]) -> str:
    return translated(DIMENSIONS[value]) if value in DIMENSIONS else str(value)


def sentences() -> Iterable[str]:
    """Everything that `told` asks to be translated."""
    yield ALWAYS
    yield from DIMENSIONS.values()
    for code, words in WORDS.items():
        # What the reader of tariffs says is quoted, so there is nothing to translate.
        yield from (words.message, words.remedy) if code != "lint.refused" else ()


def finding_data(
    finding: Finding, locale: str = "en", translated: Callable[[str], str] = lambda sentence: sentence
) -> dict[str, Any]:
    """A finding as data: what the command line, the API and the pages show."""
    message, remedy = told(finding, locale, translated)
    return {
        "code": finding.code,
        "gravity": finding.gravity.value,
        "path": finding.path,
        "message": message,
        "remedy": remedy,
        "rule": finding.rule or None,
        "places": list(finding.places),
    }


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors, then warnings, then notes; within each as they were found."""
    order = list(Gravity)
    return tuple(sorted(findings, key=lambda one: order.index(one.gravity)))
