"""What there is and what happens in a simulated world, as a function of time."""
