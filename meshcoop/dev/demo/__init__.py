"""A street of real nodes that tells the acceptance story."""
