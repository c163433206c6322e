"""The local API: the socket server, and answers made of views."""
