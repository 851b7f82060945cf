"""Noise in whole numbers: drawn exactly from bytes, whole or in shares, with its laws and costs."""
