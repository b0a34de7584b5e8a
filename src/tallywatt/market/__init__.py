"""Pure: signals: what energy costs in a market, slot by slot."""
