"""Databases with all tables, for the tests that let the adapter work in a whole house."""

from __future__ import annotations

from tests.migrated import house_url, migrated_file, postgresql_house_url, spare_databases, sqlite_house_url

__all__ = ["house_url", "migrated_file", "postgresql_house_url", "spare_databases", "sqlite_house_url"]
