"""What every store shares: the schema as data, the mapper, the unit of work, and the small port a store implements."""
