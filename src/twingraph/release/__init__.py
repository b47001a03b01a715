"""Releases: assembling and checking a publication, writing what conforms, and the archive of what was written."""
