"""From declared exhibits to the set of runs, and from records to one tidy table per exhibit."""
