"""What can be asked: pure values for codes, windows, criteria, cohorts and studies."""
