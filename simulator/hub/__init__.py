"""Asks: plans a run, sends its messages, adds the answers up and releases the sums."""
