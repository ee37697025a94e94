"""What the prompts of a user turn say, for models that are scripted to read them."""

import re

QUOTED = re.compile(
    r"(cut off by a length limit|interrupted and ended).*?:\n\n(.*)\n\n"
    r"(?:Write |This is data|Continue from)",
    re.DOTALL,
)
"""A prompt with a quote; group 2 is the end of the text, for the model to repeat."""
