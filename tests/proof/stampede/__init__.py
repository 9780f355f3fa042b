"""A stampede: thousands of customers want one slot in the same moment, over HTTP, from two API processes."""
