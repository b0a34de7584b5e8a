"""Letters to people: the mail server is spoken to here, and nowhere else. What a letter says is written elsewhere."""
