"""Pure: the words that every room shares: money, energy, time, identity, events, errors."""
