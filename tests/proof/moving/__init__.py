"""The house moved between PostgreSQL and Supabase while it serves, killed on the way, and weighed afterwards."""
