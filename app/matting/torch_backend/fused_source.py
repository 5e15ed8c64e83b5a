"""CUDA C source of the fused kernels; see `app.matting.step.full_size` for the arithmetic.

It uses no header and nothing beyond C except `__syncthreads`, so that NVRTC compiles it without a toolkit and the tests
compile it as C++. One thread computes one pixel, and the third dimension of the grid is the batch, unless noted.
"""

from __future__ import annotations

from models.cuda.source import BILINEAR

SOURCE = (
    BILINEAR
    + r"""
/* `row` and `column` are strides. */
__device__ inline float sampled(const float *plane, int row, int column, Tap y, Tap x) {
    const float *top = plane + (long long)y.low * row, *bottom = plane + (long long)y.high * row;
    return between(
        between(top[(long long)x.low * column], top[(long long)x.high * column], x.weight),
        between(bottom[(long long)x.low * column], bottom[(long long)x.high * column], x.weight),
        y.weight);
}

__device__ inline float unit(float value) { return fminf(fmaxf(value, 0.0f), 1.0f); }  /* NaN becomes 0 */

__device__ inline unsigned char byte_of(float value) { return (unsigned char)rintf(value * 255.0f); }

extern "C" __global__ void small_frame(
    const unsigned char *frame, float *small, int width, int height, int small_width, int small_height, float scale
) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, b = blockIdx.z;
    if (x >= small_width || y >= small_height) return;
    Tap column = tap_of(x, scale, width), row = tap_of(y, scale, height);
    const unsigned char *image = frame + (long long)b * height * width * 3;
    const unsigned char *top = image + (long long)row.low * width * 3;
    const unsigned char *bottom = image + (long long)row.high * width * 3;
    float *out = small + (((long long)b * small_height + y) * small_width + x) * 3;
    for (int channel = 0; channel < 3; channel++) {
        int low = column.low * 3 + 2 - channel, high = column.high * 3 + 2 - channel;
        out[channel] = between(
            between(top[low] / 255.0f, top[high] / 255.0f, column.weight),
            between(bottom[low] / 255.0f, bottom[high] / 255.0f, column.weight),
            row.weight);
    }
}

/* slope: 0 where it is zero everywhere. backdrop: 0 where the blurred background `room` takes its place. foreground: 0
   where it is not wanted. The strides of slope and offset are of batch, channel, row and column. */
extern "C" __global__ void pixels(
    const unsigned char *frame, const float *slope, const float *offset,
    const unsigned char *backdrop, const float *room,
    unsigned char *composite, unsigned char *alpha, unsigned char *foreground,
    int width, int height, int small_width, int small_height, int room_width, int room_height,
    int slope_batch, int slope_channel, int slope_row, int slope_column,
    int offset_batch, int offset_channel, int offset_row, int offset_column
) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y, b = blockIdx.z;
    if (x >= width || y >= height) return;
    Tap column = tap_of(x, (float)small_width / width, small_width);
    Tap row = tap_of(y, (float)small_height / height, small_height);
    long long pixel = ((long long)b * height + y) * width + x;
    const unsigned char *source = frame + pixel * 3;
    float guide[4];
    for (int channel = 0; channel < 3; channel++) guide[channel] = source[2 - channel] / 255.0f;
    guide[3] = (guide[0] + guide[1] + guide[2]) / 3.0f;
    float matte[4];
    for (int channel = 0; channel < 4; channel++) {
        const float *shift = offset + (long long)b * offset_batch + (long long)channel * offset_channel;
        matte[channel] = sampled(shift, offset_row, offset_column, row, column);
        if (slope) {
            const float *factor = slope + (long long)b * slope_batch + (long long)channel * slope_channel;
            matte[channel] += sampled(factor, slope_row, slope_column, row, column) * guide[channel];
        }
    }
    float opacity = unit(matte[3]);
    unsigned char opacity_byte = byte_of(opacity);
    alpha[pixel] = opacity_byte;
    Tap room_column, room_row;
    if (!backdrop) {
        room_column = tap_of(x, (float)room_width / width, room_width);
        room_row = tap_of(y, (float)room_height / height, room_height);
    }
    for (int channel = 0; channel < 3; channel++) {
        long long at = pixel * 3 + 2 - channel;
        unsigned char behind;
        if (backdrop) {
            behind = backdrop[at];
        } else {
            const float *plane = room + ((long long)b * 3 + channel) * room_height * room_width;
            behind = byte_of(unit(sampled(plane, room_width, 1, room_row, room_column)));
        }
        float person = unit(guide[channel] + matte[channel]);
        composite[at] = opacity_byte ? byte_of(opacity * person + (1.0f - opacity) * (behind / 255.0f)) : behind;
        if (foreground) foreground[at] = byte_of(person);
    }
}

/* Give each run of the mask along a line its largest label. */
__device__ inline void spread(const unsigned char *mask, long long *labels, int count, int stride) {
    for (int start = 0; start < count; start++) {
        if (!mask[(long long)start * stride]) continue;
        int end = start;
        long long largest = 0;
        for (; end < count && mask[(long long)end * stride]; end++) {
            long long label = labels[(long long)end * stride];
            largest = label > largest ? label : largest;
        }
        for (; start < end; start++) labels[(long long)start * stride] = largest;
    }
}

/* One block of threads per image. */
extern "C" __global__ void components(
    const unsigned char *masks, long long *all_labels, int width, int height, int sweeps
) {
    long long first = (long long)blockIdx.x * width * height;
    const unsigned char *mask = masks + first;
    long long *labels = all_labels + first;
    for (int i = threadIdx.x; i < width * height; i += blockDim.x) labels[i] = mask[i] ? i + 1 : 0;
    __syncthreads();
    for (int sweep = 0; sweep < sweeps; sweep++) {
        for (int y = threadIdx.x; y < height; y += blockDim.x) spread(mask + y * width, labels + y * width, width, 1);
        __syncthreads();
        for (int x = threadIdx.x; x < width; x += blockDim.x) spread(mask + x, labels + x, height, width);
        __syncthreads();
    }
}
"""
)
