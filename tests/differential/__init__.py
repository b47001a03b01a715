"""Our store beside Apache Jena: random queries over small datasets, and mutated queries of the W3C's suites."""
