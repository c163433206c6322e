"""What a home signs, for its people and by itself."""
