"""What a caller asks for, and the checked snapshot of it that a slot is made from."""
