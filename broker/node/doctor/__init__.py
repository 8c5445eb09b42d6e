"""What the doctors of hub and agency try alike, each finding with what to do about it. Reads, and changes nothing."""
