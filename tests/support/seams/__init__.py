"""The data of the seam benchmark: texts of nine kinds, models with bad habits."""
