"""Finding and mending damage: the doctor, integrity checks, rebuilding a store."""
