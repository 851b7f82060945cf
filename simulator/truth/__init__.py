"""The all-seeing eye: every answer a second time, from the rows themselves."""
