"""A demo: real nodes on this machine act out the story of the acceptance tests."""
