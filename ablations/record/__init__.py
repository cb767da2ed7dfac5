"""What MLflow holds of a study: its schema, reading and writing it, and links into the MLflow UI. Never torch."""
