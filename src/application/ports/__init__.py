"""What the application asks of the world, each port in our own words."""
