/* What Wine 10's C library lacks of Microsoft's: complex functions, and the errors of locks.
   tools.packages.windows_parts exports each `own_NAME` as `NAME`.

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

enum { LOCK = 1, TRY_LOCK = 2, LOCK_FOR_READING = 3 };
enum { REFUSED = 13, GIVEN_UP = 36, TRIES = 10, PAUSE_MS = 1000 }; /* EACCES, EDEADLOCK */

/* Wine's function gives no error number for a lock that is held, and waits for 10 ms in place of ten seconds. */
int own__locking(int file, int mode, long bytes) {
    HMODULE wine = LoadLibraryA("ucrtwine.dll");
    int (*locking)(int, int, long) = (int (*)(int, int, long))(void *)GetProcAddress(wine, "_locking");
    int *(*error)(void) = (int *(*)(void))(void *)GetProcAddress(wine, "_errno");
    int waits = mode == LOCK || mode == LOCK_FOR_READING;
    int tries = waits ? TRIES : 1;
    while (locking(file, waits ? TRY_LOCK : mode, bytes) != 0) {
        tries--;
        if (tries == 0) {
            *error() = waits ? GIVEN_UP : REFUSED;
            return -1;
        }
        Sleep(PAUSE_MS);
    }
    return 0;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved) {
    (void)module;
    (void)reason;
    (void)reserved;
    return TRUE;
}
