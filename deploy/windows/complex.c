/* Complex functions of Microsoft's C library that Wine 10 lacks. exports.py names each `own_NAME` as `NAME`.

   A complex number is a structure of two floating point numbers there, and long double is double. */
#include <complex.h>
#include <math.h>
#include <windows.h>

typedef struct { double real, imaginary; } Double;
typedef struct { float real, imaginary; } Float;

static double complex from_double(Double z) { return __builtin_complex(z.real, z.imaginary); }
static float complex from_float(Float z) { return __builtin_complex(z.real, z.imaginary); }
static Double to_double(double complex z) { return (Double){creal(z), cimag(z)}; }
static Float to_float(float complex z) { return (Float){crealf(z), cimagf(z)}; }

#define COMPLEX(name)                                                              \
    Double own_##name(Double z) { return to_double(name(from_double(z))); }        \
    Double own_##name##l(Double z) { return to_double(name(from_double(z))); }     \
    Float own_##name##f(Float z) { return to_float(name##f(from_float(z))); }

COMPLEX(cacos)
COMPLEX(cacosh)
COMPLEX(casin)
COMPLEX(casinh)
COMPLEX(catan)
COMPLEX(catanh)
COMPLEX(ccos)
COMPLEX(ccosh)
COMPLEX(cexp)
COMPLEX(clog)
COMPLEX(conj)
COMPLEX(cproj)
COMPLEX(csin)
COMPLEX(csinh)
COMPLEX(csqrt)
COMPLEX(ctan)
COMPLEX(ctanh)

#define REAL(name)                                                        \
    double own_##name(Double z) { return name(from_double(z)); }          \
    double own_##name##l(Double z) { return name(from_double(z)); }       \
    float own_##name##f(Float z) { return name##f(from_float(z)); }

REAL(cabs)
REAL(carg)
REAL(cimag)
REAL(creal)

Double own_cpow(Double base, Double power) { return to_double(cpow(from_double(base), from_double(power))); }
Double own_cpowl(Double base, Double power) { return own_cpow(base, power); }
Float own_cpowf(Float base, Float power) { return to_float(cpowf(from_float(base), from_float(power))); }

Double own__Cbuild(double real, double imaginary) { return (Double){real, imaginary}; }
Double own__LCbuild(double real, double imaginary) { return (Double){real, imaginary}; }
Float own__FCbuild(float real, float imaginary) { return (Float){real, imaginary}; }

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved) {
    (void)module;
    (void)reason;
    (void)reserved;
    return TRUE;
}
