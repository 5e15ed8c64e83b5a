"""The pages of the side panel: camera, matting, output. Each shows the settings and edits them, nothing else."""
