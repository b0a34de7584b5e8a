"""A payment provider for tests and demonstrations: strict, Stripe-compatible, with books of its own in a file of its own."""
