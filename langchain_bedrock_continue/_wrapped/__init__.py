"""All that is known about the langchain-aws models that the package wraps."""
