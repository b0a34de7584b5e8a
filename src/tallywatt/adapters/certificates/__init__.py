"""Certification authorities of operators: made here, and signing what stations ask for."""
