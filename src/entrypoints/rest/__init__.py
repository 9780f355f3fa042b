"""REST under /v1: thin routes that parse, call a use case and project its answer."""
