"""The worker: it delivers events to their reactions and runs what is due by the clock."""
