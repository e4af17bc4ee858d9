"""Before the countdown: is every engine there, and does it stream?"""
