"""`python -m engine.training.lora`."""

from engine.training.lora.train import main

if __name__ == "__main__":
    main()
