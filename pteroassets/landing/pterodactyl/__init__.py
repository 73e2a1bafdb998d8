"""LAND: passes over the panel."""
