"""Audio to latents and back."""
