"""Service chains, the measures of services, and what people do about the answers."""
