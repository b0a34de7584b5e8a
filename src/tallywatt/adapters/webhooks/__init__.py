"""Outgoing webhooks: sends signed messages to addresses that were looked at first. It decides nothing about retries."""
