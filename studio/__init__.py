"""The embedded backend: the same wire protocol on loopback, real media, no cloud. Imports none of our other rooms."""
