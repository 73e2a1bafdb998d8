"""What cards say, how they look, and when they change."""
