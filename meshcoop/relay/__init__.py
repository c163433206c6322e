"""The relay. It carries records for the neighbourhoods that enrolled it, and can read none of them."""
