"""Songs longer than one generation: regions that move with the playhead, and windows in a frozen context."""
