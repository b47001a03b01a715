"""What can be wrong with a publication, as findings."""
