"""Letters to customers about money: before a direct debit, of a low balance, and of what was charged too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tallywatt.entrypoints.pages.letters import charged_too_little, low_balance, pre_notified
from tallywatt.kernel.errors import Conflict
from tallywatt.wiring import TryLater
from tallywatt.workflows.ask_rest import TELL_REST
from tallywatt.workflows.ports import LetterRefused
from tallywatt.workflows.tell_customer import TELL_DEBIT, TELL_LOW, debit_told, gather_debit, gather_low, gather_rest

COLLECTING_SECONDS: Final = 60
"""So long a letter about a rest waits for the word of whoever collects it."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from tallywatt.wiring import Claimed, House
    from tallywatt.workflows.ports import Letter
    from tallywatt.workflows.tell_customer import RestLetter


class Telling:
    """The jobs that write to customers."""

    def __init__(self, house: House) -> None:
        self._house = house

    @property
    def by_kind(self) -> dict[str, Callable[[Claimed], None]]:
        """What each kind of job does."""
        return {TELL_DEBIT: self._debit, TELL_LOW: self._low, TELL_REST: self._rest}

    def _debit(self, claimed: Claimed) -> None:
        if self._send(claimed, gather_debit, pre_notified):
            self._house.write_now(claimed.operator_id, debit_told, claimed.job.subject_id, actor="worker")
            self._house.end_job(claimed.operator_id, claimed.job)

    def _low(self, claimed: Claimed) -> None:
        if self._send(claimed, gather_low, low_balance):
            self._house.end_job(claimed.operator_id, claimed.job)

    def _rest(self, claimed: Claimed) -> None:
        base_url = self._house.settings.base_url

        def written(told: RestLetter) -> Letter:
            return charged_too_little(told, f"{base_url}/s/{told.secret}")

        try:
            sent = self._send(claimed, gather_rest, written)
        except Conflict as collecting:
            raise TryLater(str(collecting), COLLECTING_SECONDS) from collecting
        if sent:
            self._house.end_job(claimed.operator_id, claimed.job)

    def _send(self, claimed: Claimed, gather: Callable[[Any, str], Any], written: Callable[[Any], Letter]) -> bool:
        """Whether it was handed in. Where it is not, the job has ended: there is nobody to write to, or no post."""
        house, job, operator = self._house, claimed.job, claimed.operator_id
        told = house.write_now(operator, gather, job.subject_id, actor="worker")
        if told is None or not house.has_post:
            house.end_job(operator, job)
            return False
        try:
            house.post().send(written(told), job.job_id, house.machine.now())
        except LetterRefused as refused:
            house.end_job(operator, job, str(refused), for_good=True)
            return False
        return True
