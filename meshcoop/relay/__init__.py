"""What a relay does: it carries records for the neighbourhoods that enrolled it, and reads none."""
