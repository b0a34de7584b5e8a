"""Golden results of the engine: `python -m tests.rating.golden_results` writes down what has none yet, and changes nothing.

Each is a line of JSON: session, tariff and policy as they are stored, and the rows that came out, with the engine's version.
What stands there stays for ever. A change that lets one of them come out otherwise is another engine: its version is raised,
its results stand in a file of their own, and `DIFFERS` says which of the earlier ones it means to change, and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tallywatt.kernel.clock import Instant
from tallywatt.kernel.identity import RatedId
from tallywatt.metering.metered import MeteredSession
from tallywatt.rating.before import NOTHING, Before, read_before
from tallywatt.rating.canonical import read_session, read_text_before, session_text
from tallywatt.rating.policy import Policy, read_policy, read_policy_text
from tallywatt.rating.rate import ENGINE_VERSION
from tallywatt.rating.read import read_tariff, read_tariff_text
from tallywatt.rating.results import price, rated_rows
from tallywatt.rating.tariff import Tariff, plain
from tests.rating.test_cases import CASES, a_session
from tests.rating.test_idle_free import by_night, idling
from tests.rating.test_index import TWO_HOURS, following, frozen

GOLDEN: Final = Path(__file__).parent / "golden"
DIFFERS: Final[dict[tuple[str, str], str]] = {}
"""By engine version and name of an earlier result: why it comes out otherwise now."""

_DECIMALS: Final = {"tax_rate", "unit_price"}
"""Columns that hold a figure as text."""

Priced = tuple[MeteredSession, Tariff, Policy, Before]


def worth_keeping() -> Iterator[tuple[str, Priced]]:
    """Sessions, tariffs and policies by name: every case, and what of our own fields the cases do not have."""
    for path in CASES:
        case = json.loads(path.read_text())
        policy, before = read_policy(case.get("policy", {})), read_before(case.get("before", {}))
        yield path.stem, (a_session(case["session"]), read_tariff(case["tariff"]), policy, before)
    for missing in ("fallback", "last_known", "hold"):
        tariff = frozen(following(markup="0.12", cap="0.5", missing=missing), "0.0812", None)
        yield f"market_price_{missing}", (TWO_HOURS, tariff, Policy(), NOTHING)
    for grace in ("pauses", "runs", "begins_anew"):
        yield f"free_nights_{grace}", (idling(3, 14), by_night(grace=grace, seconds=6300), Policy(), NOTHING)


def rows_of(session: MeteredSession, tariff: Tariff, policy: Policy, before: Before) -> dict[str, Any]:
    """The rows of a price, as they are stored."""
    rated, amounts = price(session, tariff, policy, before)
    rows = rated_rows(RatedId("golden"), session, rated, amounts, created_at=Instant(0), zone_data_version="")
    # What stands beside the rows is left out of them.
    beside = {"canonical_input", "engine_version", "tariff_version_id", "policy_version_id"}
    result = {name: value for name, value in asdict(rows.result).items() if name not in beside}
    told = {"result": result, "lines": [*map(asdict, rows.lines)], "taxes": [*map(asdict, rows.taxes)]}
    as_stored: dict[str, Any] = json.loads(json.dumps(told, default=_text))
    return as_stored


def _text(value: Any) -> Any:
    assert isinstance(value, Decimal), f"a row has no {type(value)}"
    return str(value)


def kept() -> dict[tuple[str, str], dict[str, Any]]:
    """All golden results, by the version of their engine and their name."""
    found = (json.loads(line) for path in sorted(GOLDEN.glob("*.jsonl")) for line in path.read_text().splitlines())
    return {(one["engine_version"], one["name"]): one for one in found}


def computed_again(golden: dict[str, Any]) -> dict[str, Any]:
    """The rows of a golden result's input, by the engine of today."""
    text = golden["session"]
    tariff, policy = read_tariff_text(golden["tariff"]), read_policy_text(golden["policy"])
    return rows_of(read_session(text), tariff, policy, read_text_before(text))


def what_is_said(rows: Any) -> Any:
    """Rows without what they leave open, for a column that was added later says nothing of an earlier price.

    Figures count and not their idle zeros: equal tariffs are one, in whichever of their spellings they were met first.
    """
    if isinstance(rows, dict):
        told = {name: what_is_said(value) for name, value in rows.items() if value is not None}
        return told | {name: plain(Decimal(told[name])) for name in _DECIMALS & told.keys()}
    return [what_is_said(one) for one in rows] if isinstance(rows, list) else rows


def main() -> None:
    """Write down what is worth keeping and is not kept yet."""
    have, path = kept(), GOLDEN / f"results-{ENGINE_VERSION}.jsonl"
    with path.open("a") as file:
        for name, (session, tariff, policy, before) in worth_keeping():
            if (ENGINE_VERSION, name) not in have:
                texts = {
                    "session": session_text(session, before),
                    "tariff": tariff.canonical,
                    "policy": policy.canonical,
                }
                about = {"name": name, "engine_version": ENGINE_VERSION, **texts}
                line = {**about, "rows": computed_again(about)}
                file.write(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
