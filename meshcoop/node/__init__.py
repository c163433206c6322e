"""The running node: composition root, process control, service manager."""
