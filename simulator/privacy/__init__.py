"""Mechanisms: how a raw aggregate becomes a released one."""
