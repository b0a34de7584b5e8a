"""`tallywatt database`: the schema, and the sums that are kept beside the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallywatt.entrypoints.cli.desk import at_desk, settings
from tallywatt.entrypoints.cli.show import Column, say_fields, say_json, say_table
from tallywatt.entrypoints.cli.words import JsonFlag, OperatorOption, examples, group

if TYPE_CHECKING:
    from tallywatt.entrypoints.cli.show import Data

database = group("database", "The database: its tables, and the sums over all rows.")
SUM_COLUMNS = (Column("sum", "figure"), Column("was", "was", right=True), Column("is", "now", right=True))


@database.command(
    "upgrade",
    **examples("tallywatt database upgrade", "TALLYWATT_DATABASE_URL=postgresql:///tw tallywatt database upgrade"),
)
def upgrade(as_json: JsonFlag = False) -> None:
    """Bring the tables to the revision of this version.

    An empty database gets them all. A server refuses tables whose revision it does not know.
    """
    from tallywatt import wiring

    chosen = settings()
    before = wiring.present_revision(chosen.url)
    wiring.upgrade(chosen.url)
    after = wiring.present_revision(chosen.url)
    told = {"engine": chosen.url.split(":", 1)[0], "before": before, "revision": after}
    if as_json:
        say_json(told)
    else:
        say_fields([("engine", told["engine"]), ("was", before or "empty"), ("revision", after)])


@database.command("recount", **examples("tallywatt database recount", "tallywatt database recount --json"))
def recount(operator: OperatorOption = None, as_json: JsonFlag = False) -> None:
    """Make the sums of the console anew from all rows.

    They are kept beside the rows and need this only where `tallywatt audit` finds that they differ (`sum.differs`): after
    rows were written by hand. It reads every row, and what stations and drivers say waits meanwhile.
    """
    from tallywatt.workflows.recount_sums import RecountSums, recount_sums

    with at_desk(operator) as desk:
        told: Any = desk.do(recount_sums, RecountSums())
        wrong: list[Data] = told
    if as_json:
        say_json(wrong)
    else:
        say_table(SUM_COLUMNS, wrong, empty="Every sum is that of its rows.")
