"""`tallywatt database`: the schema."""

from __future__ import annotations

from tallywatt.entrypoints.cli.desk import settings
from tallywatt.entrypoints.cli.show import say_fields, say_json
from tallywatt.entrypoints.cli.words import JsonFlag, examples, group

database = group("database", "The database: its tables, by migrations.")


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
