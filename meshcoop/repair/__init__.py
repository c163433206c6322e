"""Finds damage to a store, and repairs the store."""
