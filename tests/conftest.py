"""What all tests share."""

from hypothesis import settings

# A busy machine is no bug: no test may depend on the clock.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
