"""A LangChain chat model that goes on when Amazon Bedrock cut an answer."""
