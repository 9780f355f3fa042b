"""Who asks: REST, command line, webhooks and worker, and the container that wires them."""
