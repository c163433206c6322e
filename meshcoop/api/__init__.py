"""The local API: the socket server, and the answers that it makes of views."""
