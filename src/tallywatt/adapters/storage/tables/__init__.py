"""The tables, one module a room. Importing this package fills `schema.metadata`."""
