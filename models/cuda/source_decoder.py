"""CUDA C source of the kernels around the convolutions of a recurrent decoder.

Images are in the order batch, row, column, channel; one thread computes one channel of a pixel, neighbouring threads
neighbouring channels. The third dimension of the grid is the batch in `join`; the others run over the pixels of all
images.
"""

SOURCE = r"""
/* The share of pixel `at` of the full image in its pixel at `level` along an axis: each level averages pairs, and an
   odd last pixel stays alone. */
__device__ inline float share_of(int at, int size, int level) {
    float share = 1.0f;
    for (int i = 0; i < level; i++) {
        at /= 2;
        share *= 2 * at + 1 < size ? 0.5f : 1.0f;
        size = (size + 1) / 2;
    }
    return share;
}

/* Channels of the output: activation(coarse + coarse_bias) * gate, upsampled by 2 and cropped; skip + shift; the image
   (RGB, 2^level times as large) averaged; zeros. gate: (B, coarse_channels). All but `coarse` are 0 where there are
   none. */
extern "C" __global__ void join(
    const real *coarse, const float *coarse_bias, const float *gate, const real *skip, const float *shift,
    const float *image, real *out,
    int height, int width, int channels, int coarse_height, int coarse_width, int coarse_channels, int skip_channels,
    int image_height, int image_width, int level, int activation
) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= height * width * channels) return;
    int channel = index % channels, x = index / channels % width, y = index / channels / width;
    float value = 0.0f;
    if (channel < coarse_channels) {
        Tap row = tap_of(y, 0.5f, coarse_height), column = tap_of(x, 0.5f, coarse_width);
        const real *plane = coarse + (long long)blockIdx.z * coarse_height * coarse_width * coarse_channels + channel;
        const real *top = plane + (long long)row.low * coarse_width * coarse_channels;
        const real *bottom = plane + (long long)row.high * coarse_width * coarse_channels;
        float bias = coarse_bias ? coarse_bias[channel] : 0.0f;
        int left = column.low * coarse_channels, right = column.high * coarse_channels;
        value = between(
            between(activated(load(top[left]) + bias, activation), activated(load(top[right]) + bias, activation),
                    column.weight),
            between(activated(load(bottom[left]) + bias, activation), activated(load(bottom[right]) + bias, activation),
                    column.weight),
            row.weight);
        if (gate) value *= gate[blockIdx.z * coarse_channels + channel];
    } else if (channel < coarse_channels + skip_channels) {
        int at = channel - coarse_channels;
        value = load(skip[(((long long)blockIdx.z * height + y) * width + x) * skip_channels + at]);
        if (shift) value += shift[at];
    } else if (image && channel < coarse_channels + skip_channels + 3) {
        int colour = channel - coarse_channels - skip_channels;
        const float *source = image + (long long)blockIdx.z * image_height * image_width * 3 + colour;
        for (int at_y = y << level; at_y < (y + 1) << level && at_y < image_height; at_y++) {
            float sum = 0.0f;
            for (int at_x = x << level; at_x < (x + 1) << level && at_x < image_width; at_x++)
                sum += share_of(at_x, image_width, level) * source[((long long)at_y * image_width + at_x) * 3];
            value += share_of(at_y, image_height, level) * sum;
        }
    }
    out[(long long)blockIdx.z * height * width * channels + index] = store(value);
}

/* relu(x + bias) * gate: its first half goes to the first half of `out`, its second half with the state to `joined`.
   channels: of a half. gate: (B, 2 * channels). keep: share of the state per pixel. Both are 0 where there are none.
   pixels: of an image. */
extern "C" __global__ void enter(
    const real *x, const float *bias, const float *gate, const real *state, const float *keep, real *out, real *joined,
    int total, int pixels, int channels
) {
    int index = blockIdx.x * blockDim.x + threadIdx.x, both = 2 * channels;
    if (index >= total * both) return;
    int channel = index % both, pixel = index / both;
    float value = activated(load(x[index]) + bias[channel], RELU);
    if (gate) value *= gate[pixel / pixels * both + channel];
    if (channel < channels) {
        out[index] = store(value);
    } else {
        joined[index - channels] = store(value);
        float share = keep ? keep[pixel] : 1.0f;
        joined[index] = store(share * load(state[pixel * channels + channel - channels]));
    }
}

/* The second half of `joined`: sigmoid(first half of gates + bias) * state. */
extern "C" __global__ void reset_state(
    const real *gates, const float *bias, const real *state, const float *keep, real *joined, int total, int channels
) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= total * channels) return;
    int channel = index % channels, at = index / channels * 2 * channels + channel;
    float share = keep ? keep[index / channels] : 1.0f;
    joined[at + channels] = store(sigmoid(load(gates[at]) + bias[channel]) * share * load(state[index]));
}

/* The new state, also in the second half of `out`: with the update gate z, the second half of gates,
   state + z * (tanh(candidate) - state). */
extern "C" __global__ void blend(
    const real *candidate, const float *candidate_bias, const real *gates, const float *bias, const real *state,
    const float *keep, real *after, real *out, int total, int channels
) {
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= total * channels) return;
    int channel = index % channels, at = index / channels * 2 * channels + channels + channel;
    float share = keep ? keep[index / channels] : 1.0f;
    float before = share * load(state[index]), update = sigmoid(load(gates[at]) + bias[channels + channel]);
    float value = before + update * (tanhf(load(candidate[index]) + candidate_bias[channel]) - before);
    after[index] = store(value);
    out[at] = store(value);
}
"""
