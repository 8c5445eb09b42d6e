"""The shipped rules of every agency, in Cedar, and the words they are written in."""
