"""Pure: books: accounts, two-phase transfers, entries."""
