"""The parts of `engine.session.Session`, by what they are about."""
