"""What teachers cost and what their answers are worth."""
