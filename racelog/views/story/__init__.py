"""What a race has to tell: commentary, anomalies, insights, achievements. Each rule is a small fold over the beats.

A rule sees only what has happened up to its beat, so the story told live at an instant is the story a replay tells
of it. Rules hold no clock and no chance: a better rule re-scores every race that was ever recorded.
"""
