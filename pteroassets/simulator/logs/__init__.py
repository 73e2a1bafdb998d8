"""What the servers of a simulated world write."""
