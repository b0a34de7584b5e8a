"""Report files of an Adyen account: fetched by its report user from Adyen's own hosts, and from nowhere else.

Where a report lies is told in a part of the notification that is not signed, so the place is judged before anybody goes there
with a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from tallywatt.adapters.providers import adyen_reports as reports
from tallywatt.adapters.providers.wire import Wire, unclear
from tallywatt.kernel.errors import BadInput
from tallywatt.payments.provider import NotSent, Unknown

if TYPE_CHECKING:
    from tallywatt.payments.report import Report

ITS_HOSTS: Final = ".adyen.com"
LARGEST: Final = 128 * 1024 * 1024
FILES: Final = httpx.Timeout(60.0, connect=3.0, pool=3.0)


class ReportFiles:
    """The files of one merchant account."""

    def __init__(
        self, merchant: str, access: tuple[str, str] | None, base_url: str | None, account_id: str | None, *, live: bool
    ) -> None:
        self._whose = merchant
        self._access = access
        self._account = account_id
        self._place = urlsplit(base_url) if base_url is not None else None
        self._environment = "live" if live else "test"
        is_own = base_url is None or (self._place is not None and _is_adyen(self._place.hostname)) or live
        self._only = None if is_own else self._place
        self._files = Wire(FILES, proxied=is_own)

    @property
    def own_place(self) -> str | None:
        """Where everything of a simulated provider lies; None for Adyen's own hosts."""
        return None if self._only is None else f"{self._only.scheme}://{self._only.netloc}"

    def read_report(self, content: bytes) -> Report:
        """What a file tells; BadInput for what is none of this account's."""
        return reports.report_of(content, self._whose, self._account)

    def read_reports(self, contents: tuple[bytes, ...]) -> Report:
        """What several files about payments tell together."""
        return reports.joined(contents, self._whose, self._account)

    def reports_to_come(self, payout_refs: tuple[str, ...]) -> tuple[str, ...]:
        """Where the files of batches would lie of which nothing is known; none while nobody may fetch them."""
        if self._access is None:
            return ()
        host = self.own_place or f"https://ca-{self._environment}.adyen.com"
        folder = f"{host}/reports/download/MerchantAccount/{self._whose}"
        numbers = reports.batches_to_come(payout_refs, self._whose)
        return tuple(f"{folder}/settlement_detail_report_batch_{number}.csv" for number in numbers)

    def fetch_report(self, place: str) -> bytes | NotSent | Unknown | None:
        """The file that lies there; None: nothing does."""
        self._judge(place)
        if self._access is None:
            return Unknown("nobody may fetch reports of this account: it has no report user")
        try:
            with self._files.stream("GET", place, auth=self._access) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                if answer.status_code != httpx.codes.OK:
                    return NotSent(f"the report was not given: status {answer.status_code}")
                return _whole(answer)
        except httpx.HTTPError as error:
            return unclear(error)

    def _judge(self, place: str) -> None:
        """Go to Adyen's own hosts alone, and to the simulated provider's where the account is one of its."""
        read = urlsplit(place)
        if self._only is not None:
            good = (read.scheme, read.netloc) == (self._only.scheme, self._only.netloc)
        else:
            good = read.scheme == "https" and _is_adyen(read.hostname) and read.netloc == read.hostname
        if not good:
            msg = "this report does not lie with the provider"
            raise BadInput(
                msg,
                code="report.other_host",
                remedy="download it by hand and give it to: tallywatt reconcile --report ACCOUNT=FILE",
            )


def _is_adyen(host: str | None) -> bool:
    return host is not None and host.endswith(ITS_HOSTS)


def _whole(answer: httpx.Response) -> bytes | Unknown:
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > LARGEST:
            return Unknown("the report is larger than any of this account can be")
        parts.append(part)
    return b"".join(parts)
