"""Checking a publication: everything that is wrong with it, as findings."""
