"""Writers of what people and other programs take away: one module per format, each a pure function to text."""
