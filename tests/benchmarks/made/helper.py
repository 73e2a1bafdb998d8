"""Something that benchmarks share, and none itself."""
