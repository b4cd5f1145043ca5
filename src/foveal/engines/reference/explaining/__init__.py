"""Where a number comes from: the terms of the sum that it is, for every kind."""
