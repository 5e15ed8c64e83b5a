"""Networks on NVIDIA GPUs: own kernels for everything but the convolutions of cuDNN and the products of cuBLAS."""
