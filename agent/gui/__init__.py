"""What a backend says to somebody at a screen: heard, taken out and turned into actions."""
