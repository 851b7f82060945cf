"""Numbers from aggregates: pure estimators that take a survival table and never a row."""
