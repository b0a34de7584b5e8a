"""Benchmarks: each figure beside what one would pick instead, as ratios from one run. `make bench` runs them all."""
