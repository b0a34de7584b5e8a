"""The local control socket: on SQLite one process owns writing, and the command line asks it to write."""
