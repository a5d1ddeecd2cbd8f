"""Effects: the graph of one turn, its nodes, the backend they talk to, and the front ends that show it."""
