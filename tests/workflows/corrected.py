"""Sessions that are rated again under another tariff in tests, as the worker does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.kernel.clock import Instant
from tallywatt.rating.again import Fixed, Stored, rate_again, rate_name
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.workflows.correct_prices import (
    EndCorrection,
    NotePriced,
    OpenCorrection,
    OrderCorrection,
    PricedAgain,
    end_correction,
    note_priced,
    open_correction,
    order_correction,
)
from tallywatt.workflows.correct_session import CorrectSession, correct_session
from tallywatt.workflows.put_tariff import PutTariff, put_tariff

if TYPE_CHECKING:
    from tallywatt.invoicing.correction import CorrectedSession, Correction
    from tests.workflows.house_of import HouseOf


def tariff_of(price: float, vat: float, *more: dict[str, Any], included: bool = True) -> dict[str, Any]:
    """Per kWh, with that tax, and whatever else."""
    energy = {"type": "ENERGY", "price": price, "vat": vat, "step_size": 1}
    return {
        "id": "plain",
        "currency": "GBP",
        "tax_included": "YES" if included else "NO",
        "elements": [{"price_components": [energy, *more]}],
    }


def proposed(house: HouseOf, tariff: dict[str, Any]) -> Correction:
    """A correction of all sessions under that tariff, priced again; told twice, as after a crash."""
    put = house.do(put_tariff, PutTariff(tariff))
    made = house.do(
        open_correction,
        OpenCorrection(put.version.tariff_version_id, Instant(0), Instant(1 << 45), "wrong price per kWh"),
    )
    rows = tuple(
        _priced(house, one.session_id, put.version.canonical) for one in house.rows.sessions.by(state="billed")
    )
    for looked in (None, None, len(rows)):
        made = house.do(note_priced, NotePriced(made.correction_id, rows, looked))
    return made


def _priced(house: HouseOf, session_id: str, tariff: str) -> PricedAgain:
    session = house.rows.sessions.get(session_id)
    assert session.rated_id is not None, "it is billed"
    result = house.rows.rated_results.get(session.rated_id)
    was = Fixed(result.net_minor, result.tax_minor, result.gross_minor)
    by_reason: dict[str, int] = {}
    for line in sorted(house.rows.rated_lines.by(rated_id=result.rated_id), key=lambda one: one.line_number):
        by_reason[line.reason_code] = by_reason.get(line.reason_code, 0) + line.gross_minor
    by_rate = {
        rate_name(one.tax_rate): Fixed(one.net_minor, one.tax_minor, one.gross_minor)
        for one in house.rows.rated_taxes.by(rated_id=result.rated_id)
    }
    policy = read_policy_text(house.rows.policy_versions.get(result.policy_version_id).canonical)
    kept = Stored(result.canonical_input, result.currency, result.engine_version, was, by_reason, by_rate)
    again = rate_again(kept, read_tariff_text(tariff), policy)
    assert again is not None, "both are in one currency"
    same = again.was.gross_minor == again.now.gross_minor
    return PricedAgain(
        session.session_id,
        again.now.gross_minor,
        again.was.tax_minor,
        again.now.tax_minor,
        again.taxes_differ,
        same and bool(again.moved),
    )


def carried_out(house: HouseOf, correction: Correction, above: int | None = None, outcome: Any = None) -> None:
    """Every session, twice, as after a crash; then what the provider does."""
    house.do(order_correction, OrderCorrection(correction.correction_id, None, above))
    rows = house.rows.corrected_sessions.by(correction_id=correction.correction_id, outcome="open")
    for one in [*rows, *rows]:
        house.do(correct_session, CorrectSession(correction.correction_id, one.session_id))
    house.collect(outcome)
    house.do(end_correction, EndCorrection(correction.correction_id))


def row_of(house: HouseOf, correction: Correction) -> CorrectedSession:
    """The one session of a correction."""
    [row] = house.rows.corrected_sessions.by(correction_id=correction.correction_id)
    return row
