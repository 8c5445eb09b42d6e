"""What every agency's agent does; knows no agency."""
