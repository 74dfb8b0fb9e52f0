"""What is known from outside: evidence, the simulated survey, the fit and its checks."""
