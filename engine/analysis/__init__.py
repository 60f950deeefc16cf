"""What audio says about itself."""
