"""SPARQL as text: its tokens, what a query says of itself, its errors, and what is rewritten for the engine."""
