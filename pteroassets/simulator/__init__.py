"""The simulated panel, its nodes and their world: for the demo and the tests alone."""
