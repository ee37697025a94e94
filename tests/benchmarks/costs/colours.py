"""The colours of the plots, readable on a light page and on a dark one."""

OWN = "#1f7fd6"
BARE = "#c46a1b"
SECOND = "#a05fc0"
OTHER = "#4a9150"
INK = "#7d7d7d"
COLOURS = (OWN, BARE, SECOND, OTHER, INK)

LIGHT, DARK = "#ffffff", "#0d1117"
"""GitHub's pages."""


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
