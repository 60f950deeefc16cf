"""Training LoRAs for a checkpoint: restyled clips of the corpus or a folder of audio in, one safetensors file out."""
