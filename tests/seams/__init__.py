"""The data of the seam benchmark: texts of twelve kinds, models with bad habits."""
