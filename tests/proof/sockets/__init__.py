"""Bytes no honest client sends, on raw sockets, against a real `guildhall serve`."""
