"""Several labels right at once: student, teacher, and logistic regression on gold."""
