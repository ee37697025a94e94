"""langchain-aws's own tests, run with ChatBedrockContinuing in place of its classes.

`python -m tests.peer` downloads the source distribution of the installed langchain-aws,
runs its unit tests and replays its recordings of Bedrock, and prints what differs, each
with its reason. Nothing of it is kept.

`source` gets the tests. `in_place` is the pytest plugin that runs with them.
`differences` is the table of what may differ. `report` compares and counts.
"""
