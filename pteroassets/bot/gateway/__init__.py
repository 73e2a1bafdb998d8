"""The bot in Discord: commands, buttons and events; the only part that knows the Discord library."""
