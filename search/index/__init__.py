"""The text indexes candidates come from."""
