"""Taking a database out of its engine while it is used, and putting it into an empty place."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tallywatt.adapters.storage.connections import SqliteConnection, connect, is_sqlite, sqlite_path
from tallywatt.adapters.storage.migrations import present_revision
from tallywatt.kernel.errors import BadInput, Broken, Conflict

PROGRAMS: Final = "usr/lib/postgresql/*/bin"
"""Where Debian keeps the programs of each version, outside of any PATH; the newest speaks to all older servers."""


def engine_of(url: str) -> str:
    """The engine, as an archive names it."""
    return "sqlite" if is_sqlite(url) else "postgresql"


def take_copy(url: str, path: Path) -> None:
    """Copy the whole database of one moment to a file. Whoever writes meanwhile is neither stopped nor seen."""
    if is_sqlite(url):
        source = SqliteConnection(sqlite_path(url), read_only=True)
        try:
            source.backup(str(path))
        finally:
            source.close()
        _settle(path)
    else:
        _run(_program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges",
             "--exclude-table-data=alembic_version", f"--file={path}", url=url, failed="backup.failed")  # fmt: skip


def size_of(url: str) -> int:
    """How many bytes a copy needs at most."""
    if is_sqlite(url):
        return Path(sqlite_path(url)).stat().st_size
    connection = connect(url, read_only=True)
    try:
        return int(connection.execute("SELECT pg_database_size(current_database())")[0][0])
    finally:
        connection.close()


def _settle(path: Path) -> None:
    """Leave one file behind, without a log beside it, and be sure that it can be read."""
    copy = SqliteConnection(str(path))
    try:
        copy.execute("PRAGMA journal_mode=DELETE")
        [[said]] = copy.execute("PRAGMA quick_check(1)")
    finally:
        copy.close()
    if said != "ok":
        msg = f"the database is damaged: {said}"
        raise Broken(msg, code="backup.damaged_database", remedy="see docs/how-to/when-something-is-wrong.md")


def require_empty(url: str) -> None:
    """Refuse a place where something is: a restore never overwrites."""
    if is_sqlite(url):
        path = Path(sqlite_path(url))
        if path.exists():
            msg = f"{path} is there already"
            raise Conflict(
                msg, code="restore.not_empty", remedy="move it away, or set TALLYWATT_DATA_DIR to a new folder"
            )
        return
    connection = connect(url, read_only=True)
    try:
        [[tables]] = connection.execute(
            "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
    finally:
        connection.close()
    if tables:
        msg = f"the database has {tables} tables already"
        raise Conflict(msg, code="restore.not_empty", remedy="create an empty one: createdb tallywatt_restored")


RETURNING: Final = "returning_version"
"""The table with the revision of a database that is being brought back: nobody else looks there, so nobody opens it."""


def put_back(taken: Path, url: str, revision: str) -> None:
    """Fill an empty place from a copy. On PostgreSQL no server starts on it before `open_again`."""
    if is_sqlite(url):
        target = Path(sqlite_path(url))
        _check(taken)
        taken.rename(target)
        return
    _run(_program("pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
         str(taken), url=url, failed="restore.failed")  # fmt: skip
    connection = connect(url)
    try:
        connection.begin()
        connection.execute(f"CREATE TABLE {RETURNING} (version_num varchar(32) NOT NULL PRIMARY KEY)")
        connection.change(f"INSERT INTO {RETURNING} (version_num) VALUES (%s)", (revision,))
        connection.commit()
    finally:
        connection.close()


def open_again(url: str) -> None:
    """All that a return has to write is there: from this commit on a server starts on it."""
    connection = connect(url)
    try:
        connection.begin()
        connection.execute("DELETE FROM alembic_version")
        connection.execute(f"INSERT INTO alembic_version (version_num) SELECT version_num FROM {RETURNING}")
        connection.execute(f"DROP TABLE {RETURNING}")
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()


def _check(path: Path) -> None:
    copy = SqliteConnection(str(path))
    try:
        [[said]] = copy.execute("PRAGMA integrity_check(1)")
    finally:
        copy.close()
    if said != "ok":
        msg = f"the database in the archive is damaged: {said}"
        raise BadInput(msg, code="restore.damaged", remedy="use another copy of it, or an older backup")


def revision_of(url: str) -> str:
    """The revision that is backed up; Conflict when there is nothing to back up."""
    found = present_revision(url)
    if found is None:
        msg = "there is no database of Tallywatt here"
        raise Conflict(msg, code="backup.nothing", remedy="check TALLYWATT_DATA_DIR and TALLYWATT_DATABASE_URL")
    return found


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        places = sorted(Path("/").glob(f"{PROGRAMS}/{name}"), key=_version)
        found = str(places[-1]) if places else None
    if found is None:
        msg = f"{name} is not here, and PostgreSQL is backed up and restored by it"
        remedy = "install PostgreSQL's client programs, of the server's version or newer: apt install postgresql-client"
        raise BadInput(msg, code=f"backup.no_{name}", remedy=remedy)
    return found


def _version(program: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in program.parts if part.isdecimal())


def _run(program: str, *arguments: str, url: str, failed: str) -> None:
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415  # only PostgreSQL needs its driver

    known = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = known.pop("password", None)
    # The list of processes shows arguments to everybody, and the environment only to its owner.
    environment = {**os.environ, **({"PGPASSWORD": password} if password is not None else {})}
    done = subprocess.run(  # noqa: S603  # our own program with our own arguments, and no shell
        [program, *arguments, f"--dbname={make_conninfo(**known)}"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        msg = f"{Path(program).name} failed: {said}"
        raise Broken(msg, code=failed, remedy=_remedy(done.stderr))


def _remedy(said: str) -> str:
    if "version mismatch" in said:
        return "install client programs of the server's version or newer: apt install postgresql-client"
    return "the sentence above is PostgreSQL's own; mend that and run the command again"
