#!/bin/sh
# Does the header compile everywhere, without a warning, in every way that its documentation names?
# CC and CXX: the compilers (default cc, c++; CXX empty: skipped); CLANG: whose warnings are all on (default clang).
# Prints a line per test.
set -u
. "$(dirname "$0")/limit.sh"
cd "$(dirname "$0")/.." || exit 1
CC=${CC-cc} CXX=${CXX-c++} CLANG=${CLANG-clang}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
strict="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wundef -Wdouble-promotion"

# Of all the kinds of warnings that clang has, those that stay off.
off='
  padded                         fields stand in the order of what they mean
  float-equal                    what is compared by == is to be equal to the bit
  bad-function-cast              (size_t)ceil(x): converting what a function returns is what the cast is for
  used-but-marked-unused         the small inline functions may be unused, and in some configurations are
  switch-default                 what is in no case of a list comes after the switch; covered-switch-default stays on
  unsafe-buffer-usage            C has pointers
  c++98-compat-pedantic          the header promises C++11
  old-style-cast                 C has no other casts
  zero-as-null-pointer-constant  C has no other NULL
  unknown-warning-option         older versions of clang do not know them all'
everything="-Weverything $(echo "$off" | awk 'NF { print "-Wno-" $1 }')"

result() { # name, 0 for ok
  if [ "$2" = 0 ]; then echo "ok compile_$1"; else echo "FAIL compile_$1"; sed 's/^/  /' "$dir/log" | head -n 20; failed=1; fi
}
silent() { # name, command: succeeds without a word
  name=$1
  shift
  "$@" >"$dir/log" 2>&1 && [ ! -s "$dir/log" ]
  result "$name" $?
}

printf '#define INVMAN_IMPLEMENTATION\n#include "invman.h"\n' >"$dir/one.c"
printf '#define INVMAN_STATIC\n#define INVMAN_IMPLEMENTATION\n#include "invman.h"\nint main(void) { return 0; }\n' >"$dir/static.c"
printf '#include "invman.h"\n#include "invman.h"\n#define INVMAN_IMPLEMENTATION\n#include "invman.h"\n#include "invman.h"\n' >"$dir/again.c"
printf '#include "invman.h"\n#include <stdio.h>\nint main(void) { puts(invman_status_string(INVMAN_OK)); return invman_version() != INVMAN_VERSION; }\n' >"$dir/user.c"
for source in one static again user; do cp "$dir/$source.c" "$dir/$source.cpp"; done

# Words that other headers have for macros (windows.h, Qt, X11, termios, curses), and programs of all kinds.
words="min max small near far interface pascal cdecl huge hyper rad1 rad2 rad3 IN OUT OPTIONAL CONST VOID BOOL TRUE FALSE ERROR STRICT
  NEAR FAR PASCAL CALLBACK DOMAIN OVERFLOW UNDERFLOW NO_ERROR IGNORE INFINITE DELETE RELATIVE ABSOLUTE
  A B C D E F G H I J K L M N O P Q R S T U V W X Y Z T0 N0 B0 CR0 ECHO BSD M_PI M_E PI EPS EPSILON TWO_PI
  slots signals emit forever foreach Q_OBJECT Q_SLOTS Q_SIGNALS Q_EMIT Q_FOREVER Q_FOREACH Q_UNUSED
  likely unlikely ALIGN ARRAY_SIZE SWAP MIN MAX ABS SIGN SQR SQUARE CHECK ASSERT DEBUG OK STATUS NONE SUCCESS FAIL FAILURE
  UNUSED INLINE RESTRICT STATIC EXTERN EXPORT SIZE LENGTH WIDTH HEIGHT COUNT INDEX INPUT OUTPUT INFO LOG TRACE VERSION NAME TYPE KIND
  major minor makedev linux unix index rindex y0 y1 yn j0 j1 jn environ
  check verify require nil Nil YES NO self id SEL IMP byte word uint uchar ushort ulong
  Status Bool True False None Always Success Complex Above Below Cursor Font Display Screen Window Root
  isnan isinf signbit trunc complex imaginary assert static_assert alignas noreturn thread_local
  BIT BITS MASK SET CLEAR GET PUT POP PUSH HEAD TAIL NEXT PREV LIST ROUND CEIL FLOOR"
{ printf '#include <%s.h>\n' float limits locale math stdint stdio stdlib string fcntl unistd sys/stat
  for word in $words; do printf '#undef %s\n#define %s @ %s @\n' "$word" "$word" "$word"; done
  printf '#define INVMAN_IMPLEMENTATION\n#include "invman.h"\n'
  printf '#ifndef %s\n#error "a macro is lost"\n#endif\n' K near Z; } >"$dir/words.c"
cp "$dir/words.c" "$dir/words.cpp"
# What warns of the whole file, unused functions too, but where the compiler can makes no code of it yet.
check=-c
# shellcheck disable=SC2086  # a list of words
! $CC -flto -c "$dir/user.c" -I. -o "$dir/o" >"$dir/log" 2>&1 || [ -s "$dir/log" ] || check='-flto -c'

# shellcheck disable=SC2086  # $strict and $CC are lists of words
{
  # What optimisation warns of does not hang on the standard: once for C, once for C++.
  silent strict_c99 $CC -std=c99 $strict -Wstrict-prototypes -O1 -I. -c "$dir/one.c" -o "$dir/optimised.o"
  for std in c11 c17; do silent "strict_$std" $CC -std=$std $strict -Wstrict-prototypes -I. -fsyntax-only "$dir/one.c"; done
  silent no_simd $CC -std=c99 $strict -DINVMAN_NO_SIMD -I. $check "$dir/one.c" -o "$dir/o"
  if echo '#include <cblas.h>' | $CC -E - >/dev/null 2>&1; then
    silent cblas $CC -std=c99 $strict -DINVMAN_USE_CBLAS -I. $check "$dir/one.c" -o "$dir/o"
  else
    echo "skip compile_cblas: no <cblas.h>"
  fi
  if command -v "$CLANG" >/dev/null; then
    silent weverything "$CLANG" -std=c99 $everything -I. -fsyntax-only "$dir/one.c"
    silent weverything_no_simd "$CLANG" -std=c99 $everything -DINVMAN_NO_SIMD -I. -fsyntax-only "$dir/one.c"
    silent weverything_cxx "$CLANG" -std=c++11 $everything -I. -fsyntax-only "$dir/one.cpp"
  else
    echo "skip compile_weverything: no $CLANG"
  fi
  silent static_unused $CC -std=c99 $strict -I. $check "$dir/static.c" -o "$dir/o"
  silent include_again $CC -std=c99 $strict -I. -fsyntax-only "$dir/again.c"
  silent macros_of_others $CC -std=c99 -w -I. -fsyntax-only "$dir/words.c"
  silent unoptimised $CC -O0 -I. -c "$dir/one.c" -o "$dir/unoptimised.o"
  silent two_files $CC -std=c99 $strict -I. "$dir/user.c" "$dir/unoptimised.o" -o "$dir/two" -lm
  if [ -n "$CXX" ]; then
    silent strict_c++11 $CXX -std=c++11 $strict -O1 -I. -c "$dir/one.cpp" -o "$dir/o"
    silent strict_c++20 $CXX -std=c++20 $strict -I. -fsyntax-only "$dir/one.cpp"
    silent static_unused_cxx $CXX -std=c++11 $strict -I. $check "$dir/static.cpp" -o "$dir/o"
    silent macros_of_others_cxx $CXX -std=c++11 -w -I. -fsyntax-only "$dir/words.cpp"
    silent api_given_cxx $CXX -std=c++11 $strict '-DINVMAN_API=__attribute__((visibility("default")))' -I. "$dir/user.cpp" \
      "$dir/unoptimised.o" -o "$dir/o" -lm
    silent minimal_cxx $CXX -std=c++11 -Wall -Wextra -I. -fsyntax-only -x c++ examples/minimal.c
    silent c_and_cxx $CXX -std=c++11 $strict -I. "$dir/user.cpp" "$dir/unoptimised.o" -o "$dir/o" -lm
  else
    echo "skip compile_cxx: no C++ compiler is given"
  fi
  for source in examples/*.c; do
    name=$(basename "$source" .c)
    silent "$name" $CC -std=c99 $strict -Wstrict-prototypes -fsyntax-only "$source"
    silent "${name}_optimised" $CC -std=c99 $strict -Wstrict-prototypes -O1 -DINVMAN_NO_IMPLEMENTATION -c "$source" -o "$dir/o"
  done

  # Parts that are left out: together, and with ALONE=1 alone, in C and C++; the rest still trains, and what is left out is not declared.
  left_out=
  for part in CONVNET DIAGNOSTICS THEORY RFM IO; do
    left_out="$left_out -DINVMAN_NO_$part"
    [ -z "${ALONE:-}" ] || silent "no_$part" $CC -std=c99 $strict -Wstrict-prototypes -DINVMAN_NO_$part -I. -c "$dir/one.c" -o "$dir/o"
    [ -z "${ALONE:-}" ] || [ -z "$CXX" ] || silent "no_${part}_cxx" $CXX -std=c++11 $strict -DINVMAN_NO_$part -I. -fsyntax-only "$dir/one.cpp"
  done
  while read -r part call; do
    printf '#include "invman.h"\nint main(void) { return %s != 0; }\n' "$call" >"$dir/call.c"
    $CC -w -I. -fsyntax-only "$dir/call.c" >"$dir/log" 2>&1 &&
      ! $CC -w -I. -DINVMAN_NO_$part -fsyntax-only "$dir/call.c" >>"$dir/log" 2>&1 && grep undeclared "$dir/log" | grep -q "$call"
    result "${call}_left_out" $?
  done <<END
CONVNET invman_convnet_create
CONVNET invman_convnet_save
DIAGNOSTICS invman_sinkhorn
THEORY invman_stripe_label
RFM invman_rfm_train
IO invman_convnet_load
IO invman_data_read_csv
IO invman_data_read_idx
IO invman_file_create
IO invman_flow_resume
IO invman_flow_resume_model
IO invman_flow_save
IO invman_net_load
END
  silent no_parts $CC -std=c99 $strict -Wstrict-prototypes $left_out -I. -c "$dir/one.c" -o "$dir/o"
  [ -z "$CXX" ] || silent no_parts_cxx $CXX -std=c++11 $strict $left_out -I. -c "$dir/one.cpp" -o "$dir/o"
  silent no_parts_static $CC -std=c99 $strict $left_out -I. "$dir/static.c" -o "$dir/o" -lm
  silent no_parts_program $CC -std=c99 -Wall -Wextra -O2 $left_out examples/minimal.c -o "$dir/without" -lm
  "$dir/without" >"$dir/log" 2>&1
  result no_parts_program_runs $?

  # The quick start of the documentation, word for word.
  sed -n '/^   QUICK START$/,/^   CONVENTIONS/p' invman.h | sed '1d;$d;s/^     //' >"$dir/quick.c"
  silent quick_start $CC -std=c99 -Wall -Wextra -fsyntax-only -I. "$dir/quick.c"
  $CC -DINVMAN_NO_IMPLEMENTATION -I. "$dir/quick.c" "$dir/optimised.o" -o "$dir/quick" -lm && "$dir/quick" >"$dir/log" 2>&1 && grep -q '^done: Lambda\* = [0-9.]*, test error 0\.0[0-9]*$' "$dir/log"
  result quick_start_runs $?

  # What the Makefile asks the compiler goes into a file of its own, which is gone afterwards.
  printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" != -o ] || echo "$2" >>"%s/probes"; shift; done\n' "$dir" >"$dir/cc"
  chmod +x "$dir/cc"
  : >"$dir/probes"
  TMPDIR=$dir make -s help CC="$dir/cc" >"$dir/log" 2>&1
  ! grep -v "^$dir/" "$dir/probes" >>"$dir/log" && [ -s "$dir/probes" ] && [ ! -e "$(head -n 1 "$dir/probes")" ] &&
    ! grep -nE -- '-o[ =]*/dev/' Makefile tests/*.sh .ci/run bench/*.sh bench/*.py examples/figures/*.sh | grep -v 'grep -nE' >>"$dir/log"
  result probes_leave_devices $?

  # -ffast-math is refused, unless asked for.
  ! $CC -ffast-math -I. -c "$dir/one.c" -o "$dir/o" 2>"$dir/log" && grep -q 'ffast-math' "$dir/log"
  result fast_math_refused $?
  silent fast_math_allowed $CC -ffast-math -DINVMAN_ALLOW_FAST_MATH -I. -fsyntax-only "$dir/one.c"

  # Only documented names are visible, and every one of them is in the index.
  nm -g --defined-only "$dir/unoptimised.o" | awk '{ print $3 }' | sort >"$dir/names"
  sed -n '/^   INDEX$/,/\*\/$/p' invman.h | sed 's/  _/  invman_flow_/g' | grep -o 'invman_[a-z_]*' | sort -u >"$dir/index"
  diff "$dir/names" "$dir/index" >"$dir/log"
  result names_are_the_index $?

  # Every public function that takes a size, itself or within a structure, is called or excepted in tests/overflow.c.
  sed -n '1,/^#endif \/\* INVMAN_H/p' invman.h | tr '\n' ' ' | sed 's/  */ /g' | grep -o 'INVMAN_API [^;{]*;' |
    grep -E 'size_t|invman_(net|data|model|data_model|[a-z]*_options) \*' | grep -v 'size_t invman_convnet_[a-z]*(const invman_convnet \*net);' |
    grep -o 'invman_[a-z_]*(' | tr -d '(' | sort -u >"$dir/sized"
  grep -o 'invman_[a-z_]*' tests/overflow.c | sort -u | comm -23 "$dir/sized" - >"$dir/log"
  [ ! -s "$dir/log" ] && [ "$(wc -l <"$dir/sized")" -gt 40 ]
  result sizes_are_tested $?
}
[ "$(wc -l <examples/minimal.c)" -le 30 ]
result minimal_is_short $?
exit $failed
