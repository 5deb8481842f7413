"""The nouns: what travels through the program, the configuration and the errors."""
