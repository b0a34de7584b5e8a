"""What the ledger says, as truths ask it."""

from __future__ import annotations

MOVED = (
    "SELECT coalesce(sum(CASE a.account_id WHEN t.debit_account_id THEN amount_minor ELSE -amount_minor END), 0)"
    " FROM transfers t JOIN accounts a ON a.account_id IN (t.debit_account_id, t.credit_account_id)"
    " WHERE a.code = ? AND t.phase IN ('single', 'post')"
)
"""What an account of the ledger stands at."""
