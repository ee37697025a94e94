"""Work on text: strings in, strings out. Nothing here knows a message."""
