"""How many of the decisions that are called worth a second look are wrong, where 5 % of them are."""
