"""Pure: how long an invoice has to be kept, by law, in the seller's country.

| country | years | where it is said |
|---|---|---|
| AT | 7 | § 132 (1) BAO |
| CH | 10 | Art. 958f OR |
| DE | 8 | § 147 (3) AO and § 14b (1) UStG, as amended by BEG IV from 2025 |
| FR | 10 | Code de commerce, art. L123-22 |
| GB | 6 | VAT Regulations 1995, reg. 31; HMRC VAT Notice 700/21 |
| NL | 7 | art. 52 (4) AWR |

The longest of them is taken where nothing is listed. The term begins with the end of the calendar year of the invoice (§ 147
(4) AO), which nowhere ends too early. An operator with other duties keeps its own copies; this is no legal advice.
"""

from __future__ import annotations

from typing import Final

YEARS: Final = {"AT": 7, "CH": 10, "DE": 8, "FR": 10, "GB": 6, "NL": 7}
LONGEST: Final = max(YEARS.values())


def kept_through(issue_date: str, country: str) -> str:
    """The last day on which an invoice has to be there: `2034-12-31`."""
    return f"{int(issue_date[:4]) + YEARS.get(country, LONGEST):04d}-12-31"


def may_go(issue_date: str, country: str, today: str) -> bool:
    """Whether the law lets an invoice be forgotten today."""
    return today > kept_through(issue_date, country)
