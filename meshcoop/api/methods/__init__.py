"""The methods of the local API, one file a subject."""
