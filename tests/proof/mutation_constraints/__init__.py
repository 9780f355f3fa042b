"""Mutation of the database: every constraint, policy and trigger is dropped once, and something must notice."""
