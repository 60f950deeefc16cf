"""Training the DiT with its text, condition and audio-token encoders, by flow matching on latents."""
