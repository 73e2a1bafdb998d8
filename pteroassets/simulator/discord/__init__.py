"""A fake of Discord: its REST API, its gateway and a page of its channels, on one port of loopback."""
