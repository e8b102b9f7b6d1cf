"""One module per command, and the root that chooses among them."""
