/* Lets OpenVINO's plugin for GPUs take an OpenCL driver for processors for a GPU; loaded before libOpenCL.so.1. */
#define _GNU_SOURCE
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 8192 };

static void *real(const char *name) {
    return dlsym(dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_GLOBAL), name);
}

static cl_int answer(const void *value, size_t length, size_t size, void *to, size_t *needed) {
    if (needed)
        *needed = length;
    if (!to)
        return CL_SUCCESS;
    if (size < length)
        return CL_INVALID_VALUE;
    memcpy(to, value, length);
    return CL_SUCCESS;
}

cl_int clGetDeviceIDs(
    cl_platform_id platform, cl_device_type type, cl_uint count, cl_device_id *devices, cl_uint *found
) {
    cl_int (*list)(cl_platform_id, cl_device_type, cl_uint, cl_device_id *, cl_uint *) = real("clGetDeviceIDs");
    return list(platform, type & CL_DEVICE_TYPE_GPU ? CL_DEVICE_TYPE_ALL : type, count, devices, found);
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info info, size_t size, void *to, size_t *needed) {
    cl_int (*read)(cl_device_id, cl_device_info, size_t, void *, size_t *) = real("clGetDeviceInfo");
    const char *hidden = getenv("SHIM_HIDE");
    if (info == CL_DEVICE_TYPE) {
        cl_device_type type = CL_DEVICE_TYPE_GPU;
        return answer(&type, sizeof type, size, to, needed);
    }
    if (info == CL_DEVICE_VENDOR_ID) {
        /* Of another maker: of Intel's GPUs, the plugin asks the hardware what they are, and lists none here. */
        cl_uint vendor = 0x1002;
        return answer(&vendor, sizeof vendor, size, to, needed);
    }
    if (info == CL_DEVICE_EXTENSIONS && hidden) {
        char all[LONGEST] = "", shown[LONGEST] = "", names[LONGEST], *state;
        snprintf(names, sizeof names, " %s ", hidden);
        read(device, info, sizeof all, all, NULL);
        for (char *each = strtok_r(all, " ", &state); each; each = strtok_r(NULL, " ", &state)) {
            char name[LONGEST];
            snprintf(name, sizeof name, " %s ", each);
            if (!strstr(names, name))
                strcat(shown, name + 1);
        }
        return answer(shown, strlen(shown) + 1, size, to, needed);
    }
    return read(device, info, size, to, needed);
}

/* The driver for processors frees the kernels of a program with it, which the plugin goes on using. */
cl_int clReleaseProgram(cl_program program) {
    return CL_SUCCESS;
}
