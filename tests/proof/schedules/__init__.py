"""Pairs of commands interleaved at each database call, in every order with up to two preemptions."""
