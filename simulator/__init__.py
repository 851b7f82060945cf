"""A federated cohort-query simulator: synthetic hospitals that answer with aggregates only."""

__version__ = "0.1.0"
