"""What all backends share: interfaces, sizes, saved state, and the tables of edge controls and blur."""
