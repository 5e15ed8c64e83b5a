"""Pages of the side panel: camera, matting, output. Each shows settings and edits them."""
