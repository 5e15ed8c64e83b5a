"""What all backends share: interfaces, sizes, and the tables of edge controls and blur."""
