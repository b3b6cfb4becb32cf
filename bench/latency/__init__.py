"""The latency bench: how long a person who types waits for ghost text, with several servers."""
