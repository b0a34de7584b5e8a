"""Pure: one line of a pipeline: a CDR with its tariffs as plain data in, what it costs and why as plain data out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tallywatt.kernel import clock
from tallywatt.kernel.errors import BadInput
from tallywatt.rating.amounts import FixedAmounts, fix_amounts
from tallywatt.rating.cdr import ChargeRecord, read_cdr
from tallywatt.rating.fields import BadField, Version, number
from tallywatt.rating.policy import Policy, read_policy
from tallywatt.rating.rate import Reason
from tallywatt.rating.rate_cdr import Note, RatedRecord, costs, rate_record, step_size_of
from tallywatt.rating.read import read_tariff, version_of
from tallywatt.rating.records import TaxBasis, Unit
from tallywatt.rating.tariff import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tallywatt.rating.rate import Line
    from tallywatt.rating.tariff import Tariff

_T = TypeVar("_T")
PLACES: Final = 18
"""So many decimals has an amount that no decimal says exactly (a third of an euro); half to even."""
_WIDE: Final = Context(prec=60)
_LINE_KEYS: Final = frozenset({"id", "cdr", "tariffs", "time_zone", "policy", "version"})
_MESSAGES: Final = {
    "cdr.unknown_key": "is not read, and has no effect",
    "cdr.id_not_told": "is not told; no price depends on it",
    "cdr.currency_not_told": "is not told; that of the tariffs is used",
    "tariff.unknown_key": "is not read, and has no effect on any price",
    "line.unknown_key": "is not read, and has no effect",
    "cdr.period_outside_the_session": "begins before the session or after it; it is priced all the same",
    "cdr.periods_not_in_order": "were put in order of time",
    "cdr.period_without_tariff": "names no tariff while others do, so it costs nothing",
    "cdr.tariff_not_found": "names another tariff than the one that is given; that one is used",
    "cdr.period_outlasts_its_price": "the price changes inside this period; it has the price of its start",
    "cdr.no_time_told": "tell no time, so a price per time has nothing to count",
    "cdr.reservation_end_not_told": "whether the reservation expired is not told; it is priced as one that was not used up",
    "cdr.tariffs_differ": "the record's own tariffs are not those that are given beside it; the latter are used",
    "cdr.total_cost_differs": "is not what the tariff gives",
    "cdr.credit": "a credit: the total is what is given back, all parts are those of the original",
    "tariff.not_valid_at_start": "no tariff is valid when the session starts; one is used all the same",
    "tariff.taxes_not_told": "prices have tax on top (or inside) at a rate that is not told, so both totals are the same",
    "rate.signal_not_known": "power or current, for which a tariff asks, is not told for all of the session",
}


@dataclass(frozen=True, slots=True)
class NamedTax:
    """A tax that a tariff does not carry: North American tariffs leave `vat` empty (OCPI 2.3.0, TaxAmount)."""

    name: str
    percentage: Decimal
    account_number: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a line asks for beside the policy of rating: mostly what a CDR cannot say."""

    policy: Policy
    reservation_expired: bool = False
    fix_amounts: bool = False
    tariffs_of_the_cdr: bool = False
    tolerance: Decimal = Decimal("0.01")
    """So much may a record's own total differ before it is told."""
    taxes: tuple[NamedTax, ...] = ()
    tax_name: str = "VAT"


def rate_line(data: Any) -> dict[str, Any]:
    """The answer to one line: the price, or what is wrong with the line. It never fails for what a line holds."""
    identity = data.get("id") if isinstance(data, dict) else None
    try:
        return {"id": identity} | _rated(data)
    except BadInput as error:
        path = getattr(error, "path", "")
        return {"id": identity, "error": {"code": error.code, "message": error.message, "path": path}}


def _rated(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise BadField(path="", code="line.not_an_object", says="a line must be a JSON object with a cdr")
    if not isinstance(data.get("cdr"), dict):
        raise BadField(path="cdr", code="line.missing", says="must be a CDR object")
    version = _version(data.get("version"))
    notes = [Note("line.unknown_key", key) for key in data if key not in _LINE_KEYS]
    cdr = _completed(data, notes)
    record = _under("cdr", lambda: read_cdr(cdr, version))
    wishes = read_wishes(data.get("policy"), record.version)
    notes += [Note("cdr.unknown_key", f"cdr.{path}") for path in record.unread]
    tariffs = _tariffs(data, record, wishes, version, notes)
    zone = _zone(data, record)
    taxed = [_with_taxes(one, wishes.taxes) for one in tariffs]
    rated = _under(
        "cdr",
        lambda: rate_record(record, taxed, wishes.policy, zone=zone, reservation_expired=wishes.reservation_expired),
        apart=("time_zone", "tariffs"),
    )
    return answer(rated, wishes, [*notes, *rated.notes])


def _completed(data: Mapping[str, Any], notes: list[Note]) -> dict[str, Any]:
    """The record of a line, with what no price needs put in where it is missing: excerpts can be priced, too."""
    cdr: dict[str, Any] = dict(data["cdr"])
    if cdr.get("id") is None:
        cdr["id"] = "not told"
        notes.append(Note("cdr.id_not_told", "cdr.id"))
    if cdr.get("currency") is None:
        tariffs = [
            one for given in (data.get("tariffs"), cdr.get("tariffs")) if isinstance(given, list) for one in given
        ]
        named = {one["currency"] for one in tariffs if isinstance(one, dict) and isinstance(one.get("currency"), str)}
        if len(named) == 1:
            [cdr["currency"]] = named
            notes.append(Note("cdr.currency_not_told", "cdr.currency"))
    return cdr


def _under(prefix: str, read: Callable[[], _T], apart: Iterable[str] = ()) -> _T:
    """What a reader reads, its complaints with the path in the whole line."""
    try:
        return read()
    except BadField as error:
        if error.path in apart:
            raise
        path = f"{prefix}.{error.path}"
        raise BadField(path, error.code, error.says, error.remedy) from error
    except BadInput as error:
        raise BadField(path=prefix, code=error.code, says=error.message) from error


def _version(given: Any) -> Version | None:
    if given is None:
        return None
    try:
        return Version(given)
    except ValueError as error:
        raise BadField(path="version", code="line.not_known", says=f"must be one of {', '.join(Version)}") from error


def _zone(data: Mapping[str, Any], record: ChargeRecord) -> str | None:
    given = data.get("time_zone")
    if given is not None and not isinstance(given, str):
        raise BadField(path="time_zone", code="line.not_known", says="must be the name of an IANA zone")
    name = given or record.zone
    if name is not None:
        _under("time_zone", lambda: clock.zone(name))
    return name


# Tariffs


def _tariffs(
    data: Mapping[str, Any], record: ChargeRecord, wishes: Wishes, version: Version | None, notes: list[Note]
) -> list[Tariff]:
    beside = data.get("tariffs")
    if beside is not None and not (isinstance(beside, list) and all(isinstance(one, dict) for one in beside)):
        raise BadField(path="tariffs", code="line.not_an_object", says="must be a list of tariff objects")
    inside = list(record.tariffs)
    use_inside = bool(inside) and (wishes.tariffs_of_the_cdr or not beside)
    chosen, prefix = (inside, "cdr.tariffs") if use_inside else (list(beside or ()), "tariffs")
    read = [_read_tariff(one, f"{prefix}[{place}]", record, version, notes) for place, one in enumerate(chosen)]
    if beside and inside and not use_inside:
        others = [_read_tariff(one, f"cdr.tariffs[{place}]", record, version, []) for place, one in enumerate(inside)]
        if {one.version_id for one in others} != {one.version_id for one in read}:
            notes.append(Note("cdr.tariffs_differ", "cdr.tariffs"))
    return read


def _read_tariff(
    data: Mapping[str, Any], prefix: str, record: ChargeRecord, version: Version | None, notes: list[Note]
) -> Tariff:
    # A tariff may be older than its record; one that says nothing about tax has prices without it, as before 2.3.0.
    tariff = _under(prefix, lambda: read_tariff(data, version or max(version_of(data), record.version)))
    notes += [Note("tariff.unknown_key", f"{prefix}.{path}") for path in tariff.unread]
    return tariff


def _with_taxes(tariff: Tariff, taxes: tuple[NamedTax, ...]) -> Tariff:
    """The tariff with the taxes of its place on every price that names none."""
    if not taxes or not tariff.taxes_apply:
        return tariff
    rate = sum((one.percentage for one in taxes), Decimal(0))
    elements = tuple(
        replace(
            element,
            components=tuple(
                replace(one, tax_rate=rate if one.tax_rate is None else one.tax_rate) for one in element.components
            ),
        )
        for element in tariff.elements
    )
    return replace(tariff, elements=elements)


# What a line asks for


def read_wishes(given: Any, version: Version) -> Wishes:
    """The `policy` of a line. What is left out is as OCPI has it in the record's version."""
    data = {} if given is None else given
    if not isinstance(data, dict):
        raise BadField(path="policy", code="policy.not_known", says="must be an object")
    own = {key: value for key, value in data.items() if key in _WISHES}
    policy = _under("policy", lambda: read_policy({key: value for key, value in data.items() if key not in _WISHES}))
    if "step_size" not in data:
        policy = replace(policy, step_size=step_size_of(version))
    return Wishes(policy, **{key: _WISHES[key](value, f"policy.{key}") for key, value in own.items()})


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise BadField(path, "policy.not_known", "must be true or false")
    return value


def _name(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadField(path, "policy.not_known", "must be given as text")
    return value.strip()


def _figure(value: Any, path: str) -> Decimal:
    return number(value, path, kind="policy")


def _taxes(value: Any, path: str) -> tuple[NamedTax, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadField(path, "policy.not_known", "must be a list of objects with name and percentage")
    found = []
    for place, one in enumerate(value):
        account = one.get("account_number")
        percentage = number(one.get("percentage"), f"{path}[{place}].percentage", kind="policy")
        if not 0 <= percentage <= 100:
            raise BadField(
                path=f"{path}[{place}].percentage", code="policy.not_known", says="must be a percentage from 0 to 100"
            )
        name = _name(one.get("name"), f"{path}[{place}].name")
        found.append(NamedTax(name, percentage, None if account is None else _name(account, f"{path}[{place}]")))
    return tuple(found)


_WISHES: Final[dict[str, Callable[[Any, str], Any]]] = {
    "reservation_expired": _flag,
    "fix_amounts": _flag,
    "tariffs_of_the_cdr": _flag,
    "tolerance": _figure,
    "taxes": _taxes,
    "tax_name": _name,
}


# The answer


class Split:
    """Amounts before and after tax, exactly or as whole minor units."""

    def __init__(self, rated: RatedRecord, wishes: Wishes) -> None:
        self._rated = rated.rated
        self._fixed: FixedAmounts | None = fix_amounts(rated.rated, wishes.policy) if wishes.fix_amounts else None
        self._places = rated.rated.currency.exponent if self._fixed else None

    def of_line(self, place: int) -> tuple[Fraction, Fraction]:
        """A line's amounts before and after tax."""
        if self._fixed is not None:
            fixed = self._fixed.lines[place]
            scale = 10**self._rated.currency.exponent
            return Fraction(fixed.net_minor, scale), Fraction(fixed.gross_minor, scale)
        line = self._rated.lines[place]
        amount = self._rated.exact(line)
        rate = Fraction(*line.priced.tax) if line.priced.tax else Fraction(0)
        if self._rated.tax_basis is TaxBasis.NET:
            return amount, amount * (1 + rate)
        return amount / (1 + rate), amount

    def of_lines(self, places: Iterable[int]) -> tuple[Fraction, Fraction]:
        """The sum of lines."""
        amounts = [self.of_line(place) for place in places]
        return sum((one for one, _ in amounts), Fraction(0)), sum((one for _, one in amounts), Fraction(0))

    def text(self, amount: Fraction) -> str:
        """An amount as a decimal: with the currency's places where it is fixed, as many as it has where it is exact."""
        if self._places is None:
            return exact_text(amount)
        return f"{Decimal(amount.numerator) / amount.denominator:.{self._places}f}"


def exact_decimal(amount: Fraction) -> Decimal:
    """An amount as a decimal: exact where a decimal can be, else with `PLACES` decimals."""
    rest = amount.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    exact = _as_decimal(amount)
    return exact if rest == 1 else exact.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_EVEN, _WIDE)


def exact_text(amount: Fraction) -> str:
    """An amount as plain decimal text."""
    return plain(exact_decimal(amount))


def answer(rated: RatedRecord, wishes: Wishes, notes: list[Note]) -> dict[str, Any]:
    """A rated record as plain data."""
    split = Split(rated, wishes)
    lines = rated.rated.lines
    sign = -1 if rated.record.is_credit else 1
    before, after = split.of_lines(range(len(lines)))
    parts = costs(rated)
    if rated.record.is_credit:
        notes.append(Note("cdr.credit", "cdr.credit"))
    notes += _doubts(rated, wishes, sign * before, sign * after)

    def price(places: Iterable[int]) -> dict[str, str]:
        net, gross = split.of_lines(places)
        return {"before_taxes": split.text(net), "after_taxes": split.text(gross)}

    return {
        "total_cost": {"before_taxes": split.text(sign * before), "after_taxes": split.text(sign * after)},
        "total_energy_cost": price(parts["energy"]),
        "total_time_cost": price(parts["time"]),
        "total_parking_cost": price(parts["parking"]),
        "total_fixed_cost": price(parts["fixed"]),
        "total_reservation_cost": price(parts["reservation"]),
        "taxes": tax_amounts(rated, wishes, split, sign, range(len(lines))),
        "currency": rated.rated.currency.code,
        "lines": [_line(rated, place, line, split) for place, line in enumerate(lines)],
        "warnings": [
            {"code": one.code, "message": f"{one.path}: {_MESSAGES[one.code]}".lstrip(": "), "path": one.path}
            for one in notes
        ],
    }


def tax_amounts(
    rated: RatedRecord, wishes: Wishes, split: Split, sign: int, places: Iterable[int]
) -> list[dict[str, Any]]:
    """The taxes of some lines, as OCPI 2.3.0 lists them: one entry for each rate, or for each named tax."""
    groups: dict[Decimal, Fraction] = {}
    for place in places:
        rate = rated.rated.lines[place].priced.tax_rate
        if rate is not None:
            before, after = split.of_line(place)
            groups[rate] = groups.get(rate, Fraction(0)) + after - before
    combined = sum((one.percentage for one in wishes.taxes), Decimal(0))
    found: list[dict[str, Any]] = []
    for rate, amount in groups.items():
        if wishes.taxes and rate == combined:
            found += _named_amounts(wishes.taxes, combined, sign * amount, split)
        else:
            found.append({"name": wishes.tax_name, "percentage": rate, "amount": split.text(sign * amount)})
    return found


def _named_amounts(
    taxes: tuple[NamedTax, ...], combined: Decimal, whole: Fraction, split: Split
) -> list[dict[str, Any]]:
    """One combined tax as its parts; the last takes what rounding leaves, so that they add up."""
    found = []
    left = whole
    for place, one in enumerate(taxes, 1):
        share = (
            left
            if place == len(taxes)
            else whole * Fraction(one.percentage) / Fraction(combined)
            if combined
            else whole
        )
        amount = Fraction(split.text(share))
        left -= amount
        about = {} if one.account_number is None else {"account_number": one.account_number}
        found.append({"name": one.name, **about, "percentage": one.percentage, "amount": split.text(amount)})
    return found


def _line(rated: RatedRecord, place: int, line: Line, split: Split) -> dict[str, Any]:
    priced = line.priced
    before, after = split.of_line(place)
    return {
        "reason": line.reason.value,
        "dimension": priced.dimension.value,
        "tariff_id": rated.tariff_of(priced).reference,
        "element": None if line.reason in _LIMITS else priced.element_index,
        "start_date_time": clock.rfc3339(clock.Instant(line.start)),
        "end_date_time": clock.rfc3339(clock.Instant(line.end)),
        "measured": exact_text(_in_units(priced.unit, line.measured)),
        "quantity": exact_text(_in_units(priced.unit, line.quantity)),
        "unit": _UNIT_NAMES[priced.unit],
        "unit_price": plain(priced.price),
        "vat": priced.tax_rate,
        "before_taxes": split.text(before),
        "after_taxes": split.text(after),
        "conditions": priced.reason,
        "assumptions": [one.value for one in line.assumptions],
    }


_LIMITS: Final = frozenset({Reason.MINIMUM_PRICE, Reason.MAXIMUM_PRICE, Reason.CAP, Reason.DISCOUNT, Reason.COUPON})
_UNIT_NAMES: Final = {Unit.MILLIWATT_HOURS: "kWh", Unit.MILLISECONDS: "h", Unit.TIMES: "times"}
_PER_UNIT: Final = {Unit.MILLIWATT_HOURS: 1_000_000, Unit.MILLISECONDS: 3_600_000, Unit.TIMES: 1}


def _in_units(unit: Unit, quantity: int) -> Fraction:
    return Fraction(quantity, _PER_UNIT[unit])


def _doubts(rated: RatedRecord, wishes: Wishes, before: Fraction, after: Fraction) -> list[Note]:
    notes = [Note(f"rate.{one.value}") for one in rated.rated.warnings]
    if any(_lacks_its_tax(rated, line) for line in rated.rated.lines):
        notes.append(Note("tariff.taxes_not_told", "tariffs"))
    stated = rated.record.stated
    if stated is not None:
        far = [abs(stated.before_taxes - _as_decimal(before)) > wishes.tolerance]
        if stated.after_taxes is not None:
            far.append(abs(stated.after_taxes - _as_decimal(after)) > wishes.tolerance)
        if any(far):
            notes.append(Note("cdr.total_cost_differs", "cdr.total_cost"))
    return notes


def _lacks_its_tax(rated: RatedRecord, line: Line) -> bool:
    """Whether there is tax on a line whose rate nobody tells; before 2.3.0 no rate means no tax."""
    tariff = rated.tariff_of(line.priced)
    if line.reason in _LIMITS:
        return False
    return bool(line.numerator) and line.priced.tax_rate is None and tariff.taxes_apply and tariff.tax_is_said


def _as_decimal(amount: Fraction) -> Decimal:
    return _WIDE.divide(Decimal(amount.numerator), Decimal(amount.denominator))
