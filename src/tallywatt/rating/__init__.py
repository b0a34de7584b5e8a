"""Pure: what a session costs, why, and who may see which price: tariffs, periods, lines, fixed amounts."""
