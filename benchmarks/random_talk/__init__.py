"""Random conversations: shops to talk to, what is said, and what must hold after every turn."""
