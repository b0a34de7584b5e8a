"""Payment providers: translators between their language and the port of `payments`. They decide nothing."""
