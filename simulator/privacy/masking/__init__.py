"""Secure aggregation: vectors that hide one by one and show only their sum."""
