"""The running node: builds its parts, and starts and stops its process. Also reports the node's
state to the service manager (systemd).
"""
