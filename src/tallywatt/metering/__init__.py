"""Pure: what: charging sessions, meter readings, the inbox, explanations of energy."""
