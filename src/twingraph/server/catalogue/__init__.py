"""The catalogue of the release, its dumps, and what crawlers look for, over HTTP."""
