"""How the world comes in: HTTP, pages, the gateway, workers, the command line."""
