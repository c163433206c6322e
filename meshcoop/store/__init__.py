"""SQLite: exact signed bytes and per-home bookkeeping. Knows headers, not meanings."""
