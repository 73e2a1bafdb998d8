"""Games of Arma 3 that never were: as the WOG site shows them, and as OCAP records them."""
