"""How many people one model server carries."""
