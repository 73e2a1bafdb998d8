"""LAND: files of servers, of whatever game: what a pass may fetch, and where the bytes are kept."""
