"""What Bedrock and its model vendors accept and refuse, with their own error texts."""
