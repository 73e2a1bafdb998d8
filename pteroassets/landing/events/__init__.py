"""Events that games push: the collector lands them, and a pass counts what came, so that models are made of it."""
