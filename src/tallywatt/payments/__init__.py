"""Pure: money asked for and moved: payments, their operations, the port to providers, what each minor unit is for."""
