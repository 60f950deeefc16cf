"""Training the VAE: a slim twin of the stock class, which is embedded in it exactly."""
