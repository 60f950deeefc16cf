"""The maths of one denoising step."""
