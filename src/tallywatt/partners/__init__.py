"""Pure: who else is told: the catalogue of events, partners' endpoints, signatures, what was delivered."""
