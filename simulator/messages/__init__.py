"""What crosses the wire: requests, answers, and the one codec to bytes."""
