"""What is true: entities, value objects, policies, events and refusals, in plain Python."""
