"""PostgreSQL: statements declared from the schema, run on asyncpg, guarded by row-level security."""
