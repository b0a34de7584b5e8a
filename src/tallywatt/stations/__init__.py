"""Pure: where: locations, stations, EVSEs, connectors, and commands to them."""
