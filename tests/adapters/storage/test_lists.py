"""Lists of the API: a page reads no more than the page on either engine, and loses and doubles nothing while others write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Text

from tallywatt.adapters.storage.connections import connect
from tallywatt.adapters.storage.statements import compiled
from tallywatt.adapters.storage.tables.schema import metadata
from tallywatt.adapters.storage.views.lists import LISTS, page
from tallywatt.kernel.errors import BadInput
from tests.migrated import migrated_file, sqlite_house_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallywatt.adapters.storage.connections import Connection
    from tallywatt.adapters.storage.statements import Statement
    from tallywatt.adapters.storage.views.listing import Listing
    from tests.spares import Spares

__all__ = ["migrated_file", "sqlite_house_url"]

TABLES = {
    "sessions": "sessions", "payments": "payments", "invoices": "invoices", "locations": "locations",
    "stations": "stations", "evses": "evses", "commands": "station_commands", "frames": "frames",
    "tariffs": "tariff_versions", "assignments": "tariff_assignments", "customers": "customers", "tokens": "tokens",
    "api_keys": "api_keys", "actions": "actions", "inbox": "inbox", "jobs": "jobs", "explanations": "explanations",
    "revenue": "revenue_by_day", "imports": "imports", "import_rows": "import_rows", "audits": "audits",
    "audit_findings": "audit_findings", "circles": "circles", "belongings": "belongings", "ledger_accounts": "accounts",
    "market_prices": "market_prices", "meter_keys": "meter_keys", "variables": "station_variables",
    "security_events": "security_events", "notices": "station_notices", "approvals": "approvals",
    "corrections": "corrections", "corrected_sessions": "corrected_sessions",
    "coupons": "coupons", "coupon_uses": "coupon_uses", "mandates": "mandates", "debit_batches": "debit_batches",
    "debits": "debit_collections", "bank_lines": "bank_lines", "disputes": "disputes",
    "reservations": "reservations", "counted": "told_costs",
}  # fmt: skip
"""Which table the rows of a list come from."""
COLUMNS = {
    "batch": "batch_id",
    "station": "station_id", "evse": "evse_id", "customer": "customer_id", "token": "token_uid", "session": "session_id",
    "upload": "import_id", "correction": "correction_id", "circle": "circle_id", "coupon": "coupon_id", "audit": "audit_id",
    "meter": "serial_folded", "location": "location_id", "uid": "uid_folded", "subject": "subject_id", "email": "customer_id",
    ("actions", "who"): "caller_id",
    ("sessions", "customer"): "payer_id", ("invoices", "customer"): "payer_id", ("sessions", "reason"): "session_id",
}  # fmt: skip
"""Which column a filter is about, where it is not called like it."""
FEW = {
    ("sessions", "evse"): "the sessions of one EVSE",
    ("sessions", "reason"): "the sessions whose energy has this reason",
    ("payments", "session"): "the payments of one session",
    ("invoices", "session"): "the invoices of one session",
    ("frames", "station"): "the last term of the order tells frames of one millisecond apart",
    ("evses", "station"): "the EVSEs of one station",
    ("customers", "email"): "the customers of one address",
    ("disputes", "payment"): "the disputes of one payment",
    ("mandates", "customer"): "the mandates of one customer",
    ("tokens", "uid"): "a token of each type",
    ("tokens", "customer"): "the tokens of one customer",
    ("explanations", "session"): "the explanations of one session",
}
"""Lists that are sorted after they were found, and why that is little."""
ALWAYS = {
    "frames": ("station",), "inbox": ("state",), "jobs": ("state",), "import_rows": ("upload",),
    "audit_findings": ("audit",), "debits": ("batch",), "corrected_sessions": ("correction",), "variables": ("station",),
}  # fmt: skip
"""What a route always narrows by: frames are those of a station, items and jobs those in a state."""
ROWS = 3000


def shapes() -> Iterator[tuple[str, Listing, tuple[str, ...], bool]]:
    """Every list with none of its filters and with each of them, on its first page and behind a cursor."""
    for name, pages in LISTS.items():
        for listing in filter(None, (pages.newest, pages.by_time)):
            spans = [("since",), ("until",), ("since", "until")] if "since" in listing._filters else []
            alone = [(one,) for one in listing._filters if one not in {"since", "until"}]
            bare = [] if listing is pages.by_time else [()]
            for names in [*bare, *spans, *(alone if listing is pages.newest else [])]:
                asked = tuple(dict.fromkeys((*ALWAYS.get(name, ()), *names)))
                yield from ((name, listing, asked, on) for on in (False, True))


SHAPES = [
    pytest.param(*shape, id=f"{shape[0]}-{'+'.join(shape[2]) or 'all'}{'-on' if shape[3] else ''}")
    for shape in shapes()
]


def statement_of(listing: Listing, names: tuple[str, ...], dialect: str, *, on: bool) -> Statement:
    """The page as it is asked."""
    return compiled(listing._question(names, on=on)._clause, dialect)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory, migrated_file: Any) -> Iterator[Connection]:
    """A migrated database with nothing in it: its planner was told what to expect."""
    connection = connect(f"sqlite:///{migrated_file}", read_only=True)
    yield connection
    connection.close()


@pytest.mark.parametrize(("name", "listing", "names", "on"), SHAPES)
def test_on_sqlite_a_page_is_one_stretch_of_an_index(
    sqlite: Connection, name: str, listing: Listing, names: tuple[str, ...], on: bool
) -> None:
    """Neither a walk through the table nor a sort of all that is alike."""
    statement = statement_of(listing, names, "sqlite", on=on)

    steps = [
        row[3] for row in sqlite.execute(f"EXPLAIN QUERY PLAN {statement.sql}", tuple("x" for _ in statement.names))
    ]

    assert not [step for step in steps if step.startswith("SCAN")]
    if not any((name, one) in FEW for one in names):
        assert not [step for step in steps if "TEMP B-TREE" in step], steps
    [found] = [step for step in steps if step.split()[1] == TABLES[name] and "CORRELATED" not in step][:1]
    for one in names:
        assert column_of(name, listing, one) in found, found


@pytest.fixture(scope="module")
def postgresql(spare_databases: Spares) -> Iterator[psycopg.Connection[Any]]:
    """A migrated database whose listed tables hold rows, so that the planner has something to decide on."""
    name = spare_databases.take()
    with psycopg.connect(spare_databases.url(name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # rows without the rows that they refer to
        for table in {*TABLES.values(), "allocations", "customer_details", "connectors"}:
            fill(connection, table)
        connection.execute("ANALYZE")
        connection.execute("SET enable_seqscan = off")
        yield connection
    spare_databases.give_back(name)


def fill(connection: psycopg.Connection[Any], name: str) -> None:
    """Rows that no rule of the table minds, each unlike the others."""
    table = metadata.tables[name]
    for check in table.constraints:
        if type(check).__name__ == "CheckConstraint":
            connection.execute(f'ALTER TABLE "{name}" DROP CONSTRAINT "{check.name}"')
    values = []
    for column in table.columns:
        if column.name == "operator_id":
            values.append("'x'")
        elif column.info.get("codec") == "choice":
            first, *_ = [one.value for one in column.info["choices"]]
            values.append(f"'{first}'")
        elif column.type.__class__.__name__ == "LargeBinary":
            values.append("'\\x00'::bytea")
        else:
            values.append(f"'{column.name[:1]}' || n" if isinstance(column.type, Text) else "n")
    # By name: a column that a later revision added stands behind the others.
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    connection.execute(
        f'INSERT INTO "{name}" ({names}) SELECT {", ".join(values)} FROM generate_series(1, {ROWS}) AS n'
    )


@pytest.mark.parametrize(("name", "listing", "names", "on"), SHAPES)
def test_on_postgresql_a_page_is_one_stretch_of_an_index(
    postgresql: psycopg.Connection[Any], name: str, listing: Listing, names: tuple[str, ...], on: bool
) -> None:
    """The condition stands at the index, not behind it as a filter."""
    statement = statement_of(listing, names, "postgresql", on=on)
    whole = {"most", *(f"behind_key_{place}" for place, one in enumerate(listing._order) if not is_text(one))}
    whole |= {one for one in ("since", "until") if one in names and not is_text(listing._order[0])}
    # A cursor before everything: behind the last row any index is as good as the right one.
    early = {f"behind_key_{place}" for place in range(len(listing._order))} if not listing._newest_first else set()
    given = tuple(
        (0 if one in early else 60) if one in whole else ("" if one in early else "x") for one in statement.names
    )

    [[found]] = postgresql.execute(f"EXPLAIN (FORMAT JSON) {statement.sql}", given).fetchall()

    nodes = [node for node in nodes_of(found[0]["Plan"]) if node.get("Relation Name") == TABLES[name]]
    assert nodes, json.dumps(found)
    assert all("Seq Scan" not in node["Node Type"] for node in nodes), nodes
    conditions = " ".join(node.get("Index Cond", "") for node in nodes_of(found[0]["Plan"]))
    for one in names:
        assert column_of(name, listing, one) in conditions, conditions


def column_of(name: str, listing: Listing, filter_name: str) -> str:
    """The column that a filter is about."""
    if filter_name in {"since", "until"}:
        return next(one.name for one in listing._order if one.name.endswith(("_at", "day")))
    return COLUMNS.get((name, filter_name), COLUMNS.get(filter_name, filter_name))


def is_text(column: Any) -> bool:
    """Whether the column holds text."""
    return isinstance(column.type, Text)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All steps of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)


def test_every_list_is_looked_at(sqlite: Connection) -> None:
    """A new list is not forgotten here."""
    assert set(TABLES) == set(LISTS)


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "[1]", '["a","b"]', "[1.5]", "[null]", "{}", '["\\u0000"]', "[" + "9" * 40 + "]"]
)
def test_a_cursor_that_was_not_given_by_the_list_is_refused(sqlite: Connection, cursor: str) -> None:
    """It is a program's mistake, and never an error of the database."""
    with pytest.raises(BadInput) as caught:
        page(sqlite, "sessions", "x", 10, cursor)
    assert caught.value.code == "request.bad_cursor"
