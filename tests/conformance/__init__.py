"""The W3C's suites of SPARQL, asked over HTTP of the server itself; nothing of the suites lies here."""
