"""A Bedrock runtime on this machine: for tests, notebooks and demos."""
