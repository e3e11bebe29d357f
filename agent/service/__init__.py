"""Customer service: what is said about the shop itself, done with tools, or left to a person."""
