"""What a checkpoint can do, measured on clips and prompts that it was not trained on."""
