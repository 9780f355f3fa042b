"""Supabase: one project, whose parts speak HTTP: rows over PostgREST, sign-in over Auth, objects over Storage."""
