"""The whole system under faults for minutes to hours."""
