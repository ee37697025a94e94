"""The helpers of the tests: a test imports from here, never from another test.

To run a model over HTTP, as in `tests/integration_tests`:

- `endpoint`: the local endpoint of a session, which each test gives a script.
- `scripts`, `texts`, `answers`: what the scripted model behind it says.
- `models`: the model under test, the models to compare it with, and model ids.
- `entrances`, `resume`: the ways to ask for an answer, and to resume one.
- `messages`, `callbacks`, `rate_limiters`: what to compare or to record of an answer.
- `structured_output`, `fault_matrix`, `cancellation`, `graphs`, `standard_suite`: for
  the tests of these.
- `tables`: tables of results, printed once at the end of a session.
- `waiting`: wait for what another thread does.

To run a turn in memory, as in `tests/unit_tests/core`: `turns`, `fake_models`,
`responses` and `contents`; at random: `random_turns`, `random_texts`, `json_objects`.

For texts that are cut and joined, `seams`: texts, bad habits of models, scores.

For the local endpoint itself: `pieces`, `boto3_requests`, and the rules of Bedrock with
a request for each, `rule_cases`.
"""
