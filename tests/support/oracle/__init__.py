"""The oracle of promise 9: the same scripted model answers langchain-aws's and ours.

- `situation`: one conversation, its arguments, its model; what a failure prints.
- `conversations`, `model_answers`, `situations`: strategies that make situations.
- `scripted_model`: the model behind the endpoint, and the limits of the service.
- `runs`: asks the bare model and ours, and keeps what each returned and sent.
- `promise`: what may differ, as tables with reasons, and what must not.
"""
