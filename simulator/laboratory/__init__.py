"""The place where the truth may be looked at."""
