"""What the project costs, claim by claim, as ratios: ``python -m benchmarks``.

Each module beside this file that has a function ``measure`` is a benchmark; the package ``frame`` finds, runs and shows
them.
"""
