/* How the processor rounds, as a host program may have set it before it calls the library: numbers below DBL_MIN are
   flushed to zero where they are results (ftz), or operands (daz), or both (flush); all numbers are rounded up, down or
   towards zero. */
#include <fenv.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#endif

static int set_flush(unsigned results, unsigned operands) { /* 0: this processor cannot */
#if defined(__SSE2__) || defined(_M_X64)
  _mm_setcsr(_mm_getcsr() | (results ? 0x8000u : 0) | (operands ? 0x40u : 0));
  return 1;
#elif defined(__aarch64__)
  uint64_t fpcr;
  __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
  __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | UINT64_C(1) << 24));
  return results && operands;
#else
  return (void)results, (void)operands, 0;
#endif
}

static int set_floats(const char *how) {
  static const struct {
    const char *name;
    int mode;
  } directions[] = {{"up", FE_UPWARD}, {"down", FE_DOWNWARD}, {"zero", FE_TOWARDZERO}};
  size_t i;
  for (i = 0; i < 3; i++)
    if (!strcmp(how, directions[i].name)) return floats_directed = fesetround(directions[i].mode) == 0;
  floats_flush = 1;
  return set_flush(strcmp(how, "daz") != 0, strcmp(how, "ftz") != 0);
}
