"""What people do together at a time, with places in roles."""
