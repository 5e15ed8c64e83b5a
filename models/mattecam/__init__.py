"""The bundled network: a small recurrent matting network, trained by this project."""
