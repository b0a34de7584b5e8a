"""Pure: invoices and credit notes, their gap-free numbers, and what the paper shows."""
