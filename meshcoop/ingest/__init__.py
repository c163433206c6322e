"""The only way in: parse, verify, place, store, fold, announce."""
