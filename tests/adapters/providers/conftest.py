"""Databases with all tables, for the tests that let the adapter work in a whole house."""

from __future__ import annotations

from tests.migrated import house_url, migrated_file, migrated_template, postgresql_house_url, sqlite_house_url

__all__ = ["house_url", "migrated_file", "migrated_template", "postgresql_house_url", "sqlite_house_url"]
