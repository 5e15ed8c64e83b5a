"""The frame step: networks, executors and the engines built from them."""
