"""The whole journey on a project: rows by PostgREST only, through what stands before it."""
