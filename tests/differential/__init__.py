"""Our store beside Apache Jena: random queries over small datasets."""
