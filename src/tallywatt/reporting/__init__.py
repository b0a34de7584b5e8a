"""Pure: insight: figures for people."""
