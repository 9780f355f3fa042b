"""Campaigns that prove the whole: simulated, raced, killed, fuzzed, mutated. `make prove` runs them."""
