"""Field rules: what a value may be, how a person types it, how it is described. Declares no kinds."""
