"""Content blocks over the segments of a turn: placed, held back, released."""
