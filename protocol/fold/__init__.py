"""The registry of kinds, and how a thread of records folds to views."""
