"""The first pages that people see: they lead from an empty home into a neighbourhood."""
