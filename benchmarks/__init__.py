"""Guildhall measured beside a floor without a framework, and beside what one would otherwise have built."""
