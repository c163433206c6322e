"""What this home makes of its records: authority, epoch keys, views; incremental, equal to a rebuild."""
