"""What Bedrock and the models' vendors accept and refuse, with their error texts."""
