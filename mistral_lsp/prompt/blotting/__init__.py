"""How secrets are told in text: by names, places, shapes and randomness."""
