"""Service chains, the measures asked about them, and what is done in answer."""
