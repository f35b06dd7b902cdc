"""The pages a viewer sees."""
