"""LAND: replays of Arma 3: what sites list, their documents kept by content, and one load for each replay."""
