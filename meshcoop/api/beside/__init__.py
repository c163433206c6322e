"""What the local API works out in a process beside the node: rehearsals of measures."""
