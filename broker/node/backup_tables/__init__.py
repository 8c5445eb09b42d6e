"""What every store keeps about being restored, its own and its peers', as numbered migrations."""
