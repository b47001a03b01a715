"""Linked data: which document describes an IRI, what it holds, and how it is written."""
