"""Storage on SQLite and PostgreSQL: tables, the writer, the reader, the sequencer."""
