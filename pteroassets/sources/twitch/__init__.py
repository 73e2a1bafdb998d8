"""Streams and clips as Twitch lists them."""
