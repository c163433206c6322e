"""The relay. It carries records for the neighbourhoods that enrolled it, and reads none."""
