"""The seam benchmark's data: texts of nine kinds, and models with bad habits."""
