"""Measures how well a model's answers are continued: `check`, and the figures of it."""
