"""The business played through in one loop: actors over HTTP, bad weather, and the rules watched at every commit."""
