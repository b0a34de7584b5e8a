"""A site of charging stations that are not ours: they play a day of real sessions over real OCPP connections."""
