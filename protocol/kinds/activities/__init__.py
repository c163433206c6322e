"""Activities: people do something together at a time, with places in roles."""
