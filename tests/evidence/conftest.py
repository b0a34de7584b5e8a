"""The audit's tests look at the same houses as those of the workflows."""

from __future__ import annotations

from tests.migrated import house_url, migrated_file, postgresql_house_url, spare_databases, sqlite_house_url
from tests.workflows.conftest import house, quick_house

__all__ = [
    "house",
    "house_url",
    "migrated_file",
    "postgresql_house_url",
    "quick_house",
    "spare_databases",
    "sqlite_house_url",
]
