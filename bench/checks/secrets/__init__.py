"""How many secrets stand in prompts, and how much code is taken for one."""
