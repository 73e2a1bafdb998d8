"""LAND: passes over Minecraft logs."""
