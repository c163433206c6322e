"""The methods of the local API. Each module has the methods about one subject."""
