"""The part of the frame around people, which a network sees in place of the whole frame; values and decisions."""
