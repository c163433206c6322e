"""One signed record: its bytes, its place in a device's log, its readers. Knows no kinds."""
