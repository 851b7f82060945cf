"""Reports: a result as one page to read and as figures to show."""
