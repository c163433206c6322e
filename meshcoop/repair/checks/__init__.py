"""The doctor's checks. Each module looks at one part of a home."""
