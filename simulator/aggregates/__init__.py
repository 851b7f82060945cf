"""What may be known: values about groups that have a zero and a +."""
