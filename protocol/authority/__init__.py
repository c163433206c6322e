"""Computes, from open records only, who belongs, who decides and which rules are in force."""
