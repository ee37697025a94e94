"""The command `check`: measures how well a model's answers are continued.

`command` reads the arguments and prints; `measure` makes the calls; `report`,
`figures` and `well_formed` are pure. The benchmarks use the last two, too.
"""
