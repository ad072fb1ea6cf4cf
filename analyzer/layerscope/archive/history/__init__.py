"""What do builders write into the history, and which instruction was it?"""
