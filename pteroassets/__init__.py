"""Pteroassets: panel, logs and consumption of game servers in Postgres, modelled and kept fresh."""
