"""The local endpoint, used by other libraries that speak Bedrock: `make sdks`.

`clients` says what each of them runs; `python -m tests.sdks` installs them in an
environment of their own, starts `serve`, and prints a table. Not a part of `make test`.
"""
