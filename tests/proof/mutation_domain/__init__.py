"""Mutation of the domain: how many small mistakes in src/domain its own tests notice.

mutmut 3 makes and judges the mutants: a trampoline in each function lets one process, forked per mutant, try thousands.
Three things are ours: which mistakes (`operators.py`), a copy of the tree to work in, and the arithmetic.

What mutmut does not mutate is neither killed nor survived: statements outside of functions (tables of states, bounds,
regular expressions, defaults of fields), and enumerations."""
