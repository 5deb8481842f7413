"""The pretend controllers: laser and drop system."""
