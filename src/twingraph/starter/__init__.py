"""Starting a publication: its first files, and shapes drafted from data."""
