"""What people see of a turn: in a terminal, in a notebook, as plain text.

- `run`: a run as its callbacks tell it, and `words`: the words and numbers for it.
- `bar`: a turn as a row of parts, one per segment.
- `terminal`, `notebook`, `lines`: where the progress of runs is shown.
- `column`: where the cursor of a terminal is.
- `styles`: the style sheet of all HTML. `view_html`, `view_rich`: a finished message.

`callbacks` and `view` are the public modules. Only what draws in a terminal imports
rich, and late: it is an extra.
"""
