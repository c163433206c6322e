"""The running node: builds its parts, starts and stops its process, and talks to the service
manager.
"""
