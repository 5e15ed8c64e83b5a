"""The frame step in torch: eager on any device, or a captured CUDA graph."""
