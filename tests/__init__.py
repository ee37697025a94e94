"""All tests: `make test` runs them, with lint and types.

- `unit_tests` mirrors the package, without network and without a model.
- `integration_tests` has a folder for each feature. It runs the public API over HTTP,
  against the local endpoint with a scripted model or with a real small one.
- `support` has the helpers of both.
- `benchmarks` measures what has no right answer; `make help` names its commands.
"""
