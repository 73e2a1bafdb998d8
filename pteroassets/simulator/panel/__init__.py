"""The simulated panel and its nodes, over HTTP."""
