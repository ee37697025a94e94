"""Everything known about the langchain-aws classes that the package wraps.

`adapter.py` says what the package asks of a wrapped model. Each class has one adapter,
and `adapters.py` lists them. To support another class, write its adapter and list it.
"""
