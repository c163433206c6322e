"""What the local API computes in a process beside the node: rehearsals of measures."""
