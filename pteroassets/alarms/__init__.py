"""SERVE: tell a person that something failed."""
