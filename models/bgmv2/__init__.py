"""Background Matting V2 (arXiv 2012.07810): matting against a captured background plate."""
