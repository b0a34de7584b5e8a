"""Tallywatt: bills and collects for EV charging, from the plug to the paid invoice."""
