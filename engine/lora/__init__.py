"""LoRA: small additions to the DiT's linear layers, read from files, named, and acting as hot scalars."""
