"""A finite pool finished with a promise about its errors: acceptance number, looks, border, forecast."""
