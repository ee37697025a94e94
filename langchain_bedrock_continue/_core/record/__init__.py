"""What is known of a turn: segments, usage, partial messages, errors from them."""
