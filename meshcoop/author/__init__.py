"""What this home signs, for its people and by itself."""
