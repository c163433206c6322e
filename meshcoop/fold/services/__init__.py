"""The services of a home: which go on as others, and what their measures add up to."""
