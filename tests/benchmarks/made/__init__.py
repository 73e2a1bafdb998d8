"""Benchmarks of which it is known what they measure."""
