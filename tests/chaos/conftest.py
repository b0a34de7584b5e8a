"""Databases with all tables, so that a round begins at once."""

from __future__ import annotations

from tests.migrated import migrated_file, postgresql_house_url, spare_databases

__all__ = ["migrated_file", "postgresql_house_url", "spare_databases"]
