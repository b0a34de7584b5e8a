"""Pure: who: operators, customers, tokens, parties, and who may do what."""
