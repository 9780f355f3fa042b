"""The stateful model: one machine asks a house in memory and a house on PostgreSQL the same, and a model of its own
what both must answer."""
