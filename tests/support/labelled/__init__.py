"""Labelled people for training and measuring: the synthetic county as two agencies would write it, and FEBRL's sets."""
