"""Replays of Arma 3: games of the WOG statistics site, and recordings of OCAP web servers."""
