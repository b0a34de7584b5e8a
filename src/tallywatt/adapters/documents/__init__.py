"""Paper: documents of invoicing as PDF, laid out by typst."""
