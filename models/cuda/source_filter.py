"""CUDA C source of the kernels from the decoder's last convolution to the coefficients.

Images are in the order batch, row, column, channel, and the third dimension of the grid is the batch. One thread
computes one pixel. Everything but the input is in float32.
"""

HIDDEN = 16
"""Channels of the last features."""

SOURCE = (
    f"\n#define HIDDEN {HIDDEN}\n"
    r"""
#define PIXEL \
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y; \
    if (x >= width || y >= height) return; \
    long long first = (long long)blockIdx.z * height * width, pixel = first + (long long)y * width + x

__device__ inline int inside(int at, int size) { return at < 0 ? 0 : at < size ? at : size - 1; }

/* relu(raw + raw_bias), and its product with weight (4, HIDDEN) plus bias. */
extern "C" __global__ void project(
    const real *raw, const float *raw_bias, const float *weight, const float *bias, float *matte, int height, int width
) {
    PIXEL;
    float sums[4];
    for (int output = 0; output < 4; output++) sums[output] = bias[output];
    for (int input = 0; input < HIDDEN; input++) {
        float value = activated(load(raw[pixel * HIDDEN + input]) + raw_bias[input], RELU);
        for (int output = 0; output < 4; output++) sums[output] += weight[output * HIDDEN + input] * value;
    }
    for (int output = 0; output < 4; output++) matte[pixel * 4 + output] = sums[output];
}

struct Moments { float x, y, covariance, variance; };

/* Of a channel of [R, G, B, mean of RGB] and of the matte around a pixel. box: 9 weights; zero beyond the borders. */
__device__ inline Moments moments_of(
    const float *image, const float *matte, const float *box, long long first, int y, int x, int height, int width,
    int channel
) {
    float mean_x = 0.0f, mean_y = 0.0f, mean_xy = 0.0f, mean_xx = 0.0f;
    for (int row = 0; row < 3; row++) {
        int at_y = y + row - 1;
        if (at_y < 0 || at_y >= height) continue;
        float sum_x = 0.0f, sum_y = 0.0f, sum_xy = 0.0f, sum_xx = 0.0f;
        for (int column = 0; column < 3; column++) {
            int at_x = x + column - 1;
            if (at_x < 0 || at_x >= width) continue;
            long long at = first + (long long)at_y * width + at_x;
            const float *rgb = image + at * 3;
            float guide = channel < 3 ? rgb[channel] : (rgb[0] + rgb[1] + rgb[2]) / 3.0f;
            float value = matte[at * 4 + channel], factor = box[row * 3 + column];
            sum_x += factor * guide;
            sum_y += factor * value;
            sum_xy += factor * (guide * value);
            sum_xx += factor * (guide * guide);
        }
        mean_x += sum_x;
        mean_y += sum_y;
        mean_xy += sum_xy;
        mean_xx += sum_xx;
    }
    Moments moments;
    moments.x = mean_x;
    moments.y = mean_y;
    moments.covariance = mean_xy - mean_x * mean_y;
    moments.variance = mean_xx - mean_x * mean_x;
    return moments;
}

/* The guided filter whose slope three layers compute from the moments and the features relu(raw + raw_bias).
   boxes: (4, 9). first_weight: (HIDDEN, 8 + HIDDEN), second_weight: (HIDDEN, HIDDEN), third_weight: (4, HIDDEN). */
extern "C" __global__ void deep_guided_filter(
    const float *image, const float *matte, const real *raw, const float *raw_bias, const float *boxes,
    const float *first_weight, const float *first_bias, const float *second_weight, const float *second_bias,
    const float *third_weight, const float *third_bias, float *slope, float *offset, float *coarse,
    int height, int width
) {
    PIXEL;
    float mean_x[4], mean_y[4], given[8 + HIDDEN], hidden[HIDDEN];
    for (int channel = 0; channel < 4; channel++) {
        Moments moments = moments_of(image, matte, boxes + channel * 9, first, y, x, height, width, channel);
        mean_x[channel] = moments.x;
        mean_y[channel] = moments.y;
        given[channel] = moments.covariance;
        given[4 + channel] = moments.variance;
    }
    for (int input = 0; input < HIDDEN; input++)
        given[8 + input] = activated(load(raw[pixel * HIDDEN + input]) + raw_bias[input], RELU);
    for (int output = 0; output < HIDDEN; output++) {
        float sum = first_bias[output];
        for (int input = 0; input < 8 + HIDDEN; input++)
            sum += first_weight[output * (8 + HIDDEN) + input] * given[input];
        hidden[output] = activated(sum, RELU);
    }
    for (int output = 0; output < HIDDEN; output++) {
        float sum = second_bias[output];
        for (int input = 0; input < HIDDEN; input++) sum += second_weight[output * HIDDEN + input] * hidden[input];
        given[output] = activated(sum, RELU);
    }
    for (int channel = 0; channel < 4; channel++) {
        float sum = third_bias[channel];
        for (int input = 0; input < HIDDEN; input++) sum += third_weight[channel * HIDDEN + input] * given[input];
        slope[pixel * 4 + channel] = sum;
        offset[pixel * 4 + channel] = mean_y[channel] - sum * mean_x[channel];
    }
    coarse[pixel] = clamped(matte[pixel * 4 + 3], 0.0f, 1.0f);
}

/* The guided filter of radius 1. renormalize: average the pixels inside the frame, in place of zeros beyond it.
   coarse: 0 where it is not wanted. */
extern "C" __global__ void fast_guided_filter(
    const float *image, const float *matte, float *slope, float *offset, float *coarse,
    int height, int width, int renormalize, float eps
) {
    PIXEL;
    int rows = 1 + (y > 0) + (y < height - 1), columns = 1 + (x > 0) + (x < width - 1);
    float box[9];
    for (int i = 0; i < 9; i++) box[i] = renormalize ? 1.0f / (float)(rows * columns) : 1.0f / 9.0f;
    for (int channel = 0; channel < 4; channel++) {
        Moments moments = moments_of(image, matte, box, first, y, x, height, width, channel);
        float factor = moments.covariance / (moments.variance + eps);
        slope[pixel * 4 + channel] = factor;
        offset[pixel * 4 + channel] = moments.y - factor * moments.x;
    }
    if (coarse) coarse[pixel] = clamped(matte[pixel * 4 + 3], 0.0f, 1.0f);
}

/* [foreground residual (3), alpha] of pixel (y, x) from raw + bias (rows, columns, 16), whose channels are 2x2 pixels.
   Alpha is the sigmoid of its channel, of which `stretch` at both ends is cut off. */
extern "C" __global__ void shuffled_matte(
    const real *raw, const float *bias, float *matte, int height, int width, int rows, int columns, float stretch
) {
    PIXEL;
    const real *source = raw + (((long long)blockIdx.z * rows + y / 2) * columns + x / 2) * 16;
    for (int channel = 0; channel < 4; channel++) {
        int at = channel * 4 + y % 2 * 2 + x % 2;
        float value = load(source[at]) + bias[at];
        if (channel == 3) value = clamped((sigmoid(value) - stretch) / (1.0f - 2.0f * stretch), 0.0f, 1.0f);
        matte[pixel * 4 + channel] = value;
    }
}

/* Where the picture changes; see `models.forgetting_rule`: `seen` are the means of 4x4 pixels of the image, `gone` how
   far they differ from `last`, 0 to 1. height, width: of these. */
extern "C" __global__ void changes(
    const float *image, const float *last, float *seen, float *gone,
    int height, int width, int image_height, int image_width, float change
) {
    PIXEL;
    const float *source = image + (long long)blockIdx.z * image_height * image_width * 3;
    float largest = 0.0f;
    for (int colour = 0; colour < 3; colour++) {
        float mean = 0.0f;
        for (int row = 4 * y; row < 4 * y + 4 && row < image_height; row++)
            for (int column = 4 * x; column < 4 * x + 4 && column < image_width; column++)
                mean += share_of(row, image_height, 2) * share_of(column, image_width, 2)
                    * source[((long long)row * image_width + column) * 3 + colour];
        seen[pixel * 3 + colour] = mean;
        float difference = fabsf(mean - last[pixel * 3 + colour]);
        largest = difference > largest ? difference : largest;
    }
    gone[pixel] = clamped(largest / change - 1.0f, 0.0f, 1.0f);
}

/* The shares of the memories to keep, at the size of `gone` and halved once and twice. height, width: of `gone`. */
extern "C" __global__ void shares(
    const float *gone, float *fine, float *middle, float *coarse, int height, int width
) {
    PIXEL;
    int rows = height, columns = width;
    for (int level = 0; level < 3; level++) {
        if (y >= rows || x >= columns) return;
        float mean = 0.0f;
        for (int row = y << level; row < (y + 1) << level && row < height; row++)
            for (int column = x << level; column < (x + 1) << level && column < width; column++) {
                float largest = 0.0f;
                for (int near_y = row - 1; near_y <= row + 1; near_y++)
                    for (int near_x = column - 1; near_x <= column + 1; near_x++) {
                        float value = gone[first + (long long)inside(near_y, height) * width + inside(near_x, width)];
                        largest = value > largest ? value : largest;
                    }
                mean += share_of(row, height, level) * share_of(column, width, level) * (1.0f - largest);
            }
        float *out = level == 0 ? fine : level == 1 ? middle : coarse;
        out[((long long)blockIdx.z * rows + y) * columns + x] = mean;
        rows = (rows + 1) / 2;
        columns = (columns + 1) / 2;
    }
    (void)pixel;
}

/* The decisions of the decision stage, -1 to 1; see `models.decision_rule`. */
extern "C" __global__ void decide(
    const float *matte, const float *last, float *decided, int height, int width, float hysteresis, float range
) {
    PIXEL;
    float sum = 0.0f;
    for (int row = -1; row <= 1; row++)
        for (int column = -1; column <= 1; column++)
            sum += matte[(first + (long long)inside(y + row, height) * width + inside(x + column, width)) * 4 + 3];
    float foreground = clamped((sum / 9.0f - 0.5f + hysteresis * last[pixel]) / range + 0.5f, 0.0f, 1.0f);
    decided[pixel] = 2.0f * foreground - 1.0f;
}

/* The erosion and the dilation of the decisions by a square, (2,) per pixel. */
extern "C" __global__ void extremes(const float *decided, float *out, int height, int width, int band) {
    PIXEL;
    float low = 1.0f, high = -1.0f;
    for (int row = y - band; row <= y + band; row++) {
        if (row < 0 || row >= height) continue;
        for (int column = x - band; column <= x + band; column++) {
            if (column < 0 || column >= width) continue;
            float value = decided[first + (long long)row * width + column];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    }
    out[pixel * 2] = low;
    out[pixel * 2 + 1] = high;
}

/* The matte with its alpha limited to the means of the extremes around it. */
extern "C" __global__ void limit(
    const float *matte, const float *extremes, float *out, int height, int width, int ramp
) {
    PIXEL;
    float low = 0.0f, high = 0.0f, count = (float)((2 * ramp + 1) * (2 * ramp + 1));
    for (int row = y - ramp; row <= y + ramp; row++)
        for (int column = x - ramp; column <= x + ramp; column++) {
            long long at = first + (long long)inside(row, height) * width + inside(column, width);
            low += extremes[at * 2];
            high += extremes[at * 2 + 1];
        }
    for (int channel = 0; channel < 3; channel++) out[pixel * 4 + channel] = matte[pixel * 4 + channel];
    low = (low / count + 1.0f) / 2.0f;
    high = (high / count + 1.0f) / 2.0f;
    float alpha = matte[pixel * 4 + 3];
    alpha = alpha < low ? low : alpha;
    out[pixel * 4 + 3] = alpha > high ? high : alpha;
}
"""
)
