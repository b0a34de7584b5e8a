"""Pure: money asked for and moved: payments, their operations, providers as a port, and where each minor unit belongs."""
