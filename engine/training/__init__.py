"""Training LoRAs for a checkpoint: a synthesised corpus or a folder of audio in, one safetensors file out."""
