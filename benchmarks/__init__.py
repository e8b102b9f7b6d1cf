"""How fast the real service is on this machine, beside the fastest that a client of the same library could be."""
