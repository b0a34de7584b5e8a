"""Pure: signed meter values: what a meter has signed, whether it holds, and what of it may be billed."""
