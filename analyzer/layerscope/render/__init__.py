"""What do people, scripts and tables get to see of a report?"""
