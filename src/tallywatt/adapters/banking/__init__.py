"""Files of banks, read as lines of ours: ISO 20022 bank-to-customer statements."""
