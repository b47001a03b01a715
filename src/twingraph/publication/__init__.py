"""What a publication holds, read and derived."""
