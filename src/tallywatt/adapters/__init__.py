"""Translators between the house and the world; no business rules."""
