"""The running node: builds its parts, controls its process, and talks to the service manager."""
