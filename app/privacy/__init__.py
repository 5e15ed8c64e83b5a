"""What keeps the background hidden: the gate, the self-test of engines, the checks of every
matte.
"""
