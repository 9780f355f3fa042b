"""A machine made of chance: an event loop with a clock of its own, processes that die, and ports with bad days."""
