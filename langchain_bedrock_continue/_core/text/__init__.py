"""Strings in, strings out: cuts, echoes, overlaps, quotes. Knows no message."""
