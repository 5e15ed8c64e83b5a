"""U2-Net (arXiv 2005.09007): a nested U of residual U-blocks for salient object detection."""
