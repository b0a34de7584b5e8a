"""Passkeys (WebAuthn): what a browser is asked, and whether its answer holds. Who a key belongs to is decided elsewhere."""
