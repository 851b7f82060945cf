"""Analyses: generators that say what they need, are sent released tables, and return results.

An analysis yields a frozen set of needs and receives, for each, what was released. `run` drives all
analyses of a study in step and unites their needs, so that one pass over a site serves them all.
"""
