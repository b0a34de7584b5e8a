"""The HTTP door: the API, the driver's and the operator's pages, webhooks, live streams."""
