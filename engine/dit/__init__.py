"""The DiT's forward over the checkpoint's own weights, in parts, with everything that is constant kept."""
