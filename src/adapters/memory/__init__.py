"""Everything in this process's memory: it ships, runs the demo and the simulation, and is no kinder than PostgreSQL."""
