"""Find benchmarks, run each in a process of its own, and show what they measured."""
