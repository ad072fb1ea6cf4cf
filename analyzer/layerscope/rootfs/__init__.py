"""What does a container see, and what became of everything else?"""
