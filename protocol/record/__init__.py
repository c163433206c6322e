"""One signed record: its bytes, its place in a device's log, who may open it. Knows no kinds."""
