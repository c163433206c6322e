"""Who could help whom, worked out at this home alone: nothing is posted, and nobody learns of it."""
