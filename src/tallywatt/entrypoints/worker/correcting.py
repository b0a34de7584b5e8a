"""The jobs of price corrections: sessions priced again page by page, and what was too much given back one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tallywatt.invoicing.correction import CorrectionState, Outcome
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.identity import SessionId
from tallywatt.rating.again import NOTHING, Fixed, Stored, rate_again, rate_name
from tallywatt.rating.policy import read_policy_text
from tallywatt.rating.read import read_tariff_text
from tallywatt.wiring import TryLater
from tallywatt.workflows.correct_prices import EndCorrection, NotePriced, PricedAgain, end_correction, note_priced
from tallywatt.workflows.correct_session import CorrectSession, correct_session

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from tallywatt.rating.again import Again
    from tallywatt.wiring import Claimed, House

PAGE = 100
ON_ITS_WAY_SECONDS = 10
"""How long a payment may take to come to its end before it is looked at again."""


class Correcting:
    """What the worker does for corrections."""

    def __init__(self, house: House, given_up: threading.Event) -> None:
        self._house = house
        self._given_up = given_up

    def price(self, claimed: Claimed) -> None:
        """Price the sessions again, and write down what differs. Done again after a crash it changes nothing."""
        house, operator, views = self._house, claimed.operator_id, self._house.views
        row = house.ask_now(views.correction, operator, claimed.job.subject_id)
        if row is not None and row["state"] == CorrectionState.PRICING:
            tariff = read_tariff_text(_text(house.ask_now(views.tariff, operator, row["tariff_version_id"])))
            policies: dict[str, Any] = {}
            span = {"since": parse_instant(row["since_at"]), "until": parse_instant(row["until_at"])}
            after, count = "", 0
            while page := house.ask_now(
                views.rated_sessions, operator, after=after, most=PAGE, tariff=row["priced_by"], **span
            ):
                rates = house.ask_now(views.rated_taxes, operator, after=after, last=page[-1]["id"], **span)
                priced = []
                for one in page:
                    name = one["policy_version_id"]
                    if name not in policies:
                        policies[name] = read_policy_text(_text(house.ask_now(views.policy, operator, name)))
                    was = Fixed(one["net_minor"], one["tax_minor"], one["gross_minor"])
                    kept = Stored(
                        one["canonical_input"],
                        one["currency"],
                        one["engine_version"],
                        was,
                        one["by_reason"],
                        _by_rate(rates.get(one["rated_id"], ())),
                    )
                    again = rate_again(kept, tariff, policies[name])
                    if again is not None:
                        priced.append(_told(one["id"], again))
                count += len(priced)
                self._write(claimed, note_priced, NotePriced(row["id"], tuple(priced)))
                after = page[-1]["id"]
                self._go_on()
            self._write(claimed, note_priced, NotePriced(row["id"], (), count))
        house.end_job(operator, claimed.job)

    def carry_out(self, claimed: Claimed) -> None:
        """Go through what is open. What has a payment on its way is looked at again later."""
        house, operator, views = self._house, claimed.operator_id, self._house.views
        correction_id, after, left = claimed.job.subject_id, "", 0
        while page := house.ask_now(views.open_corrected, operator, correction_id, after, PAGE):
            for one in page:
                done = self._write(claimed, correct_session, CorrectSession(correction_id, SessionId(one["id"])))
                left += done.outcome is Outcome.OPEN
            after = page[-1]["id"]
            self._go_on()
        if left:
            msg = f"{left} sessions have a payment on its way"
            raise TryLater(msg, ON_ITS_WAY_SECONDS)
        house.run_job(claimed, end_correction, EndCorrection(correction_id))

    def _go_on(self) -> None:
        if self._given_up.is_set():
            msg = "this process ends; the rest is done after the next start"
            raise TryLater(msg, 1)

    def _write(self, claimed: Claimed, workflow: Any, command: Any) -> Any:
        return self._house.write_now(claimed.operator_id, workflow, command, actor="worker", cause=claimed.job.cause)


def _by_rate(rows: Iterable[dict[str, Any]]) -> dict[str, Fixed]:
    sums: dict[str, Fixed] = {}
    for row in rows:
        name = rate_name(None if row["tax_rate"] is None else Decimal(row["tax_rate"]))
        sums[name] = sums.get(name, NOTHING) + Fixed(row["net_minor"], row["tax_minor"], row["gross_minor"])
    return sums


def _told(session_id: str, again: Again) -> PricedAgain:
    """What a session costs now. Lines are only of interest where the sum is the same: a part of the old one has other lines."""
    same = again.was.gross_minor == again.now.gross_minor
    return PricedAgain(
        SessionId(session_id),
        again.now.gross_minor,
        again.was.tax_minor,
        again.now.tax_minor,
        again.taxes_differ,
        same and bool(again.moved),
    )


def _text(row: dict[str, Any] | None) -> str:
    assert row is not None, "a version is never taken away"
    return str(row["canonical"])
