"""Use cases, one a file, one transaction each: they gather, decide, and write. They never commit, call out, or read a clock."""
