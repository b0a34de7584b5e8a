"""Charge records and their prices as Arrow: columns in, columns out, and the files that hold them."""
