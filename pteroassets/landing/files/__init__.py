"""LAND: files of servers of any game: what a pass may fetch, and where the bytes are kept."""
