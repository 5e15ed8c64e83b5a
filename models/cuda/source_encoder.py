"""CUDA C source of the kernels around the convolutions of an encoder.

Images are in the order batch, row, column, channel, and the third dimension of the grid is the batch. In `stem`,
`depthwise` and `finish` one thread computes TILE neighbouring pixels of a channel; neighbouring threads compute
neighbouring channels. `partial` receives their sums, (B, rows * tiles of a row, C); 0 where they are not wanted.
"""

TILE = 8
GROUP = 8
"""Outputs per block of `squeeze` and `excite`."""
LANES = 32
"""Threads per output of `squeeze` and `excite`."""
MOST_CHANNELS = 1024
"""Most inputs of `squeeze` and `excite`."""

SOURCE = (
    f"""
#define TILE {TILE}
#define GROUP {GROUP}
#define LANES {LANES}
#define MOST_CHANNELS {MOST_CHANNELS}
"""
    r"""
/* A convolution of 3x3 with a stride of 2 of an RGB image, from which `mean` is subtracted; zero padding. */
extern "C" __global__ void stem(
    const float *image, const float *mean, const float *weight, const float *bias, real *out,
    int height, int width, int out_height, int out_width, int channels, int activation
) {
    int tiles = (out_width + TILE - 1) / TILE, index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= out_height * tiles * channels) return;
    int channel = index % channels, tile = index / channels, y = tile / tiles, first = tile % tiles * TILE;
    const float *source = image + (long long)blockIdx.z * height * width * 3;
    real *target = out + ((long long)blockIdx.z * out_height + y) * out_width * channels + channel;
    for (int x = first; x < first + TILE && x < out_width; x++) {
        float sum = bias[channel];
        NO_UNROLL for (int row = 0; row < 3; row++) {
            int at_y = 2 * y + row - 1;
            if (at_y < 0 || at_y >= height) continue;
            for (int column = 0; column < 3; column++) {
                int at_x = 2 * x + column - 1;
                if (at_x < 0 || at_x >= width) continue;
                const float *pixel = source + ((long long)at_y * width + at_x) * 3;
                const float *factor = weight + (row * 3 + column) * 3 * channels + channel;
                for (int colour = 0; colour < 3; colour++)
                    sum += (pixel[colour] - mean[colour]) * factor[colour * channels];
            }
        }
        target[(long long)x * channels] = store(activated(sum, activation));
    }
}

template <int SIDE, int STRIDE, int DILATION>
__device__ inline void convolve_rows(
    const real *source, const float *weight, float shift, float *sums,
    int height, int width, int channels, int y, int first, int channel, int activation
) {
    const int REACH = DILATION * (SIDE / 2), SPAN = (TILE - 1) * STRIDE + (SIDE - 1) * DILATION + 1;
    NO_UNROLL for (int row = 0; row < SIDE; row++) {
        int at_y = STRIDE * y + DILATION * row - REACH;
        if (at_y < 0 || at_y >= height) continue;
        float line[SPAN];
        UNROLL for (int i = 0; i < SPAN; i++) {
            int at_x = STRIDE * first - REACH + i;
            line[i] = 0.0f;
            if (at_x >= 0 && at_x < width)
                line[i] = activated(load(source[((long long)at_y * width + at_x) * channels]) + shift, activation);
        }
        UNROLL for (int column = 0; column < SIDE; column++) {
            float factor = weight[(row * SIDE + column) * channels + channel];
            UNROLL for (int i = 0; i < TILE; i++) sums[i] += factor * line[i * STRIDE + column * DILATION];
        }
    }
}

/* activation(convolution of input_activation(x + input_bias) by channels + bias), with "same" zero padding. */
extern "C" __global__ void depthwise(
    const real *x, const float *input_bias, const float *weight, const float *bias, real *out, float *partial,
    int height, int width, int out_height, int out_width, int channels,
    int side, int stride, int dilation, int input_activation, int activation
) {
    int tiles = (out_width + TILE - 1) / TILE, index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= out_height * tiles * channels) return;
    int channel = index % channels, tile = index / channels, y = tile / tiles, first = tile % tiles * TILE;
    const real *source = x + (long long)blockIdx.z * height * width * channels + channel;
    float sums[TILE], shift = input_bias[channel], total = 0.0f;
    UNROLL for (int i = 0; i < TILE; i++) sums[i] = bias[channel];
#define CONVOLVE(SIDE, STRIDE, DILATION) convolve_rows<SIDE, STRIDE, DILATION>( \
        source, weight, shift, sums, height, width, channels, y, first, channel, input_activation)
    if (side == 3 && stride == 1) CONVOLVE(3, 1, 1);
    else if (side == 3) CONVOLVE(3, 2, 1);
    else if (stride == 2) CONVOLVE(5, 2, 1);
    else if (dilation == 1) CONVOLVE(5, 1, 1);
    else CONVOLVE(5, 1, 2);
    real *target = out + (((long long)blockIdx.z * out_height + y) * out_width + first) * channels + channel;
    UNROLL for (int i = 0; i < TILE; i++) {
        if (first + i < out_width) {
            float value = activated(sums[i], activation);
            target[i * channels] = store(value);
            total += value;
        }
    }
    if (partial) partial[((long long)blockIdx.z * out_height * tiles + tile) * channels + channel] = total;
}

/* activation(x + bias + residual); residual: 0 where there is none. */
extern "C" __global__ void finish(
    const real *x, const float *bias, const real *residual, real *out, float *partial,
    int height, int width, int channels, int activation
) {
    int tiles = (width + TILE - 1) / TILE, index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= height * tiles * channels) return;
    int channel = index % channels, tile = index / channels, y = tile / tiles, first = tile % tiles * TILE;
    long long start = (((long long)blockIdx.z * height + y) * width + first) * channels + channel;
    float total = 0.0f;
    UNROLL for (int i = 0; i < TILE; i++) {
        if (first + i < width) {
            long long at = start + i * channels;
            float value = load(x[at]) + bias[channel];
            if (residual) value += load(residual[at]);
            value = activated(value, activation);
            out[at] = store(value);
            total += value;
        }
    }
    if (partial) partial[((long long)blockIdx.z * height * tiles + tile) * channels + channel] = total;
}

/* The first GROUP * LANES threads: parts[i] = part of the product of row i / LANES of weight with the inputs. */
__device__ inline void multiply(const float *weight, const float *given, float *parts, int inputs, int outputs) {
    for (int i = threadIdx.x; i < GROUP * LANES; i += blockDim.x) {
        int output = blockIdx.x * GROUP + i / LANES;
        float sum = 0.0f;
        if (output < outputs)
            for (int input = i % LANES; input < inputs; input += LANES)
                sum += weight[(long long)output * inputs + input] * given[input];
        parts[i] = sum;
    }
}

/* activation(weight * mean + bias) of the means over an image whose sums are in `partial`. One block computes GROUP
   outputs. bias: 0 where there is none. */
extern "C" __global__ void squeeze(
    const float *partial, const float *weight, const float *bias, float *out,
    int tiles, int pixels, int channels, int outputs, int activation
) {
    __shared__ float means[MOST_CHANNELS];
    __shared__ float parts[GROUP * LANES];
    const float *sums = partial + (long long)blockIdx.z * tiles * channels;
    for (int channel = threadIdx.x; channel < channels; channel += blockDim.x) {
        float sum = 0.0f;
        for (int tile = 0; tile < tiles; tile++) sum += sums[(long long)tile * channels + channel];
        means[channel] = sum / (float)pixels;
    }
    __syncthreads();
    multiply(weight, means, parts, channels, outputs);
    __syncthreads();
    for (int i = threadIdx.x; i < GROUP; i += blockDim.x) {
        int output = blockIdx.x * GROUP + i;
        if (output >= outputs) continue;
        float sum = bias ? bias[output] : 0.0f;
        for (int lane = 0; lane < LANES; lane++) sum += parts[i * LANES + lane];
        out[blockIdx.z * outputs + output] = activated(sum, activation);
    }
}

/* The rows of `product` (channels, outputs) times the hard sigmoid gate of each channel. */
extern "C" __global__ void excite(
    const float *hidden, const float *weight, const float *bias, const float *product, real *out,
    int inputs, int channels, int outputs
) {
    __shared__ float parts[GROUP * LANES];
    multiply(weight, hidden + blockIdx.z * inputs, parts, inputs, channels);
    __syncthreads();
    for (int i = threadIdx.x; i < GROUP; i += blockDim.x) {
        int channel = blockIdx.x * GROUP + i;
        float sum = channel < channels ? bias[channel] : 0.0f;
        for (int lane = 0; lane < LANES; lane++) sum += parts[i * LANES + lane];
        parts[i * LANES] = activated(sum, HARD_SIGMOID);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < GROUP * outputs; i += blockDim.x) {
        int row = i / outputs, channel = blockIdx.x * GROUP + row;
        if (channel >= channels) continue;
        float value = product[(long long)channel * outputs + i % outputs] * parts[row * LANES];
        out[((long long)blockIdx.z * channels + channel) * outputs + i % outputs] = store(value);
    }
}
"""
)
