"""Charging sessions from files: dirty CSV exports become normalised rows, and a report that loses nothing."""
