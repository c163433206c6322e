"""The parts of the screens, each with its look, keys and messages in one file."""
