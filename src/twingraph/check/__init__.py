"""What can be wrong with a publication, found and told."""
