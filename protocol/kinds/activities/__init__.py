"""Activities: people do something together at a time. Roles have a number of places."""
