"""Tables of bulk uploads: imports, the sealed parts of their files, and the report of every row."""

from __future__ import annotations

from tallywatt.adapters.storage.mapping import Mapping
from tallywatt.adapters.storage.tables.schema import (
    blob,
    choice,
    flag,
    index,
    instant,
    refers,
    table,
    text,
    version,
    whole,
)
from tallywatt.workflows.imports import Import, ImportKind, ImportPart, ImportRow, ImportState, RowOutcome, UserIs

IMPORTS = Mapping(
    table(
        "imports",
        text("import_id"),
        choice("kind", ImportKind),
        text("name"),
        choice("user_is", UserIs),
        flag("dry_run"),
        choice("state", ImportState),
        text("shape", null=True),
        whole("bytes"),
        whole("parts"),
        whole("rows", null=True),
        whole("read"),
        whole("taken"),
        whole("already_there"),
        whole("held"),
        whole("refused"),
        text("code", null=True),
        text("message", null=True),
        text("actor"),
        instant("received_at"),
        instant("began_at", null=True),
        instant("ended_at", null=True),
        version(),
        index("state", "import_id"),
        index("kind", "import_id"),
        key=("import_id",),
        # What a file is called is up to whoever sends it.
        personal="import_report",
    ),
    Import,
)

IMPORT_PARTS = Mapping(
    table(
        "import_parts",
        text("import_id"),
        whole("number"),
        text("key_id"),
        blob("sealed"),
        refers("import_id", "imports"),
        key=("import_id", "number"),
        personal="import_upload",
    ),
    ImportPart,
)

IMPORT_ROWS = Mapping(
    table(
        "import_rows",
        text("import_id"),
        whole("line"),
        choice("outcome", RowOutcome),
        text("code", null=True),
        text("message", null=True),
        text("subject_kind", null=True),
        text("subject_id", null=True),
        text("key_id", null=True),
        blob("sealed", null=True),
        refers("import_id", "imports"),
        index("import_id", "outcome", "line"),
        key=("import_id", "line"),
        # A message may repeat what the row said, and what it says waits sealed until it was tried.
        personal="import_report",
    ),
    ImportRow,
)
