"""A stub of Twitch: tokens of id.twitch.tv and the lists of Helix that notices of streams need."""
