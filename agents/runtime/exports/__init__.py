"""Folders of files that another system puts down: taken in whole, held in memory, taken in anew when they change."""
