"""Signs records: what people of this home post, and what the home's software posts by itself."""
