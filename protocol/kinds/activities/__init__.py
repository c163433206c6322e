"""Activities: people do something together at a set time. Each role has a number of places."""
