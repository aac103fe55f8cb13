"""What runs rows in peers: see ../README.md."""
