"""What every test runs with."""

import os

# No test may ask the cloud who it is.
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
