"""Identity providers of organisations, spoken to in OpenID Connect. Whether somebody is let in is decided elsewhere."""
