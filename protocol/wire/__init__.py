"""The peer protocols and the local RPC, sans I/O: bytes in, events out."""
