"""How do bytes become an image? The only package that touches the world."""
