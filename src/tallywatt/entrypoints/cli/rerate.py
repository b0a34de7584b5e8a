"""`tallywatt rerate`: what sessions cost when they are priced again, beside what they were priced at. Nothing is changed."""

from __future__ import annotations

from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.entrypoints.cli.desk import PAGE, Desk, at_desk
from tallywatt.entrypoints.cli.failing import FINDING
from tallywatt.entrypoints.cli.reading import read_object
from tallywatt.entrypoints.cli.rerate_file import Asked, compared_as_json, price_file, say_compared
from tallywatt.entrypoints.cli.sessions import ENDING
from tallywatt.entrypoints.cli.show import Column, Data, clock_of, say, say_json, say_table, sum_of
from tallywatt.entrypoints.cli.tariff_lint import is_file, stored_tariff
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples
from tallywatt.kernel.clock import parse_instant
from tallywatt.kernel.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.rating.again import Again, Fixed, Sum
    from tallywatt.rating.compared import Comparison
    from tallywatt.rating.policy import Policy
    from tallywatt.rating.tariff import Tariff

EXAMPLES = examples(
    "tallywatt rerate --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z",
    "tallywatt rerate --tariff next-year.json --priced-by day-and-night",
    "tallywatt rerate --tariff flat --jsonl > compared.jsonl",
    "tallywatt rerate cdrs.parquet --tariff new.json --zone Europe/London",
    "tallywatt rerate cdrs.arrow --out prices.parquet",
)


FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="Records in columns (.parquet, .arrow); if left out, the sessions stored here."
    ),
]
TariffOption = Annotated[
    str | None,
    typer.Option(
        "--tariff", metavar="FILE|TARIFF", help="Price by this one; if left out, each by the tariff it was priced by."
    ),
]
PolicyOption = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="Under this policy; if left out, each under its own.")
]
PricedByOption = Annotated[
    str | None, typer.Option("--priced-by", metavar="TARIFF", help="Only sessions priced by this tariff.")
]
SinceOption = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Started then or later; RFC 3339.")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Started before then; RFC 3339.")]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", metavar="ZONE", help="Of a file: local time; if left out, what records name.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Of a file: write the prices there, as columns.")
]
LinesFlag = Annotated[bool, typer.Option("--jsonl", help="Every session as one JSON object a line, also the same.")]


def rerate(
    file: FileArgument = None,
    tariff: TariffOption = None,
    policy: PolicyOption = None,
    priced_by: PricedByOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    zone: ZoneOption = None,
    out: OutOption = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    jsonl: LinesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Price sessions again, and show what differs.

    From the input that was stored with each price: with nothing else named this is a check of this version of Tallywatt,
    which ends with 1 when a price differs. With another tariff or policy it says what would have been. It changes nothing.

    With FILE the records in it are priced, by columns (needs the extra `batch`), beside what they say they came to.
    """
    if file is not None:
        if since or until or priced_by:
            msg = "--since, --until and --priced-by choose among stored sessions; a file is priced whole"
            raise BadInput(msg, code="rerate.not_for_files", remedy="leave them out, or select the records in the file")
        asked = Asked(tariff, policy, zone, operator, out, IN_A_TABLE if limit is None else limit, jsonl)
        _say_file(price_file(file, asked), out, jsonl=jsonl, as_json=as_json)
        return
    if zone or out:
        msg = "--zone and --out are of a file; stored sessions have their zone"
        raise BadInput(msg, code="rerate.only_for_files", remedy="leave them out, or name a file of records")
    with at_desk(operator) as desk:
        terms = Others(desk, tariff, policy)
        told = Told(IN_A_TABLE if limit is None and not as_json else limit)
        for row in _rated(desk, since, until, priced_by):
            one = terms.again(row)
            told.take(row, one)
            if jsonl:
                say_json(_row(row, one))
    if as_json and not jsonl:
        say_json(told.as_json())
    elif not jsonl:
        _say(told, desk.operator.zone, is_check=terms.is_check)
    if terms.is_check and told.differ:
        raise typer.Exit(FINDING)


def _say_file(found: Comparison, out: Path | None, *, jsonl: bool, as_json: bool) -> None:
    if as_json and not jsonl:
        say_json(compared_as_json(found))
    elif not jsonl:
        say_compared(found, out)


class Others:
    """The tariff and the policy that are to be used; where none is named, those of each session."""

    def __init__(self, desk: Desk, tariff: str | None, policy: Path | None) -> None:
        from tallywatt.rating.policy import read_policy
        from tallywatt.rating.read import read_tariff

        self._desk = desk
        self._tariff: Tariff | None = None
        if tariff is not None:
            self._tariff = read_tariff(read_object(Path(tariff)) if is_file(tariff) else stored_tariff(desk, tariff))
        self._policy: Policy | None = None if policy is None else read_policy(read_object(policy))
        self._texts: dict[str, str] = {}

    @property
    def is_check(self) -> bool:
        """Whether each session is priced by what it was priced by."""
        return self._tariff is None and self._policy is None

    def again(self, row: Data) -> Again | None:
        """A stored price and the one of now; None where they are of two currencies."""
        from tallywatt.rating.again import Fixed, Stored, rate_again
        from tallywatt.rating.policy import read_policy_text
        from tallywatt.rating.read import read_tariff_text

        views = self._desk.views
        tariff = self._tariff or read_tariff_text(self._text(views.tariff, row["tariff_version_id"]))
        policy = self._policy or read_policy_text(self._text(views.policy, row["policy_version_id"]))
        was = Fixed(row["net_minor"], row["tax_minor"], row["gross_minor"])
        stored = Stored(row["canonical_input"], row["currency"], row["engine_version"], was, row["by_reason"])
        return rate_again(stored, tariff, policy)

    def _text(self, view: object, version: str) -> str:
        if version not in self._texts:
            self._texts[version] = self._desk.ask(view, version)["canonical"]  # type: ignore[arg-type]  # a view, by name
        return self._texts[version]


def _rated(desk: Desk, since: str | None, until: str | None, priced_by: str | None) -> Iterator[Data]:
    """Sessions with a price, page by page, however many there are."""
    filters = {
        "since": None if since is None else parse_instant(since),
        "until": None if until is None else parse_instant(until),
        "tariff": priced_by or "",
    }
    after = ""
    while rows := desk.ask(desk.views.rated_sessions, after=after, most=PAGE, **filters):
        yield from rows
        after = rows[-1]["id"]


class Told:
    """What was found: sums of each currency, and the sessions that differ, of which the largest are kept."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._rows: list[Data] = []
        self.differ = 0
        self.of_other_currency = 0
        self.sums: dict[str, Sum] = {}

    def take(self, row: Data, one: Again | None) -> None:
        """Count one session."""
        from tallywatt.rating.again import Sum

        if one is None:
            self.of_other_currency += 1
            return
        self.sums.setdefault(row["currency"], Sum(row["currency"])).add(one)
        if not one.is_same:
            self.differ += 1
            self._rows.append(_row(row, one))
            if self._most is not None and len(self._rows) > 2 * self._most:
                self._rows = self._largest()

    def _largest(self) -> list[Data]:
        if self._most is None or len(self._rows) <= self._most:
            return self._rows
        return nlargest(self._most, self._rows, key=_size)

    @property
    def rows(self) -> list[Data]:
        """Those that differ, the largest difference first."""
        return sorted(self._largest(), key=_size, reverse=True)

    def as_json(self) -> Data:
        """All of it as plain data."""
        return {
            "sums": [_sum(one) for one in self.sums.values()],
            "differ": self.differ,
            "of_other_currency": self.of_other_currency,
            "sessions": self.rows,
        }


def _size(row: Data) -> tuple[int, int]:
    return abs(row["difference"]["gross_minor"]), abs(row["difference"]["net_minor"])


def _row(row: Data, one: Again | None) -> Data:
    shown = ("id", "started_at", "zone", "station", "invoice", "tariff", "energy_wh", "currency", "engine_version")
    return {
        **{name: row[name] for name in shown},
        "was": _plain(None if one is None else one.was),
        "now": _plain(None if one is None else one.now),
        "difference": _plain(None if one is None else one.difference),
        "moved": {} if one is None else one.moved,
    }


def _plain(price: Fixed | None) -> Data | None:
    return None if price is None else price._asdict()


def _sum(one: Sum) -> Data:
    reasons = dict.fromkeys([*one.was_by_reason, *one.now_by_reason])
    return {
        "currency": one.currency,
        "sessions": one.sessions,
        "same": one.same,
        "dearer": one.dearer,
        "cheaper": one.cheaper,
        "was": _plain(one.was),
        "now": _plain(one.now),
        "difference": _plain(one.now - one.was),
        "by_reason": {
            reason: {
                "was_minor": one.was_by_reason.get(reason, 0),
                "now_minor": one.now_by_reason.get(reason, 0),
            }
            for reason in reasons
        },
    }


# For people


def _say(told: Told, zone: str, *, is_check: bool) -> None:
    if not told.sums and not told.of_other_currency:
        say("No session with a price.")
        return
    if told.differ:
        _say_sessions(told, zone)
    for one in told.sums.values():
        _say_sum(one, is_check=is_check)
    if told.of_other_currency:
        say(f"\n{told.of_other_currency} sessions were priced in another currency than the tariff's: not compared.")
    say("\nNothing was changed.")


def _say_sessions(told: Told, zone: str) -> None:
    shown = told.rows
    rows = [
        {
            "ending": one["id"][-ENDING:],
            "started": clock_of(one["started_at"], one["zone"] or zone),
            "was": sum_of(one["was"]["gross_minor"], one["currency"]),
            "now": sum_of(one["now"]["gross_minor"], one["currency"]),
            "difference": _signed(one["difference"]["gross_minor"], one["currency"]),
            "moved": ", ".join(
                f"{_name(reason)} {_signed(minor, one['currency'])}" for reason, minor in one["moved"].items()
            ),
        }
        for one in shown
    ]
    columns = (
        Column("id ends in", "ending"), Column("started", "started"), Column("was", "was", right=True),
        Column("now", "now", right=True), Column("difference", "difference", right=True),
        Column("what moved", "moved", folds=True),
    )  # fmt: skip
    say_table(columns, rows, empty="")
    if len(shown) < told.differ:
        say(f"\nThese are the {len(shown)} largest of {told.differ} differences; for more: --limit N.")
    say()


def _say_sum(one: Sum, *, is_check: bool) -> None:
    code = one.currency
    if is_check and one.same == one.sessions:
        say(f"{one.sessions} sessions, {sum_of(one.was.gross_minor, code)}: all the same to the last line.")
        return
    reasons = dict.fromkeys([*one.was_by_reason, *one.now_by_reason])
    parts = [(_name(reason), one.was_by_reason.get(reason, 0), one.now_by_reason.get(reason, 0)) for reason in reasons]
    parts += [
        ("before tax", one.was.net_minor, one.now.net_minor),
        ("tax", one.was.tax_minor, one.now.tax_minor),
        ("in sum", one.was.gross_minor, one.now.gross_minor),
    ]
    rows = [
        {
            "part": name,
            "was": sum_of(was, code),
            "now": sum_of(now, code),
            "difference": _signed(now - was, code),
            "share": f"{100 * (now - was) / was:+.1f} %" if was > 0 and now != was else "",
        }
        for name, was, now in parts
    ]
    columns = (
        Column(f"{one.sessions} sessions", "part"), Column("were", "was", right=True), Column("are", "now", right=True),
        Column("difference", "difference", right=True), Column("", "share", right=True),
    )  # fmt: skip
    say_table(columns, rows, empty="")
    said = [f"{number} {word}" for number, word in ((one.dearer, "dearer"), (one.cheaper, "cheaper")) if number]
    others = one.sessions - one.dearer - one.cheaper - one.same
    said += [f"{others} at the same price of other parts"] if others else []
    said += [f"{one.same} the same"] if one.same else []
    say(f"Of them {', '.join(said)}.")


def _name(reason: str) -> str:
    from tallywatt.rating.explain import title

    return title(reason).lower()


def _signed(minor: int, code: str) -> str:
    """A difference: what is more has its sign, too."""
    text = sum_of(minor, code).removesuffix(f" {code}")
    return f"+{text}" if minor > 0 else text
