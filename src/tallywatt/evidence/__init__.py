"""Pure: proof: the audit that recomputes energy and money."""
