# Read by the scripts that try the example programs: SCRIPT BUILD, the directory where they are. Each works in a directory
# of its own, and prints a line per test, whose name begins with the script's `kind`.
bin=$(cd "$1" && pwd) || exit 1
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
program=$bin/compress
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

result() { # name, 0 for ok
  if [ "$2" = 0 ]; then echo "ok ${kind}_$1"; else echo "FAIL ${kind}_$1"; sed 's/^/  /' out err 2>/dev/null | head -n 20; failed=1; fi
}
refuses() { # name, pattern of the message, arguments: exit status 2, one line on stderr, no new file
  name=$1 pattern=$2
  shift 2
  files=$(ls)
  "$program" "$@" >out 2>err
  [ $? = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q -- "^$(basename "$program"): .*$pattern" err && [ ! -s out ] && [ "$files" = "$(ls)" ]
  result "$name" $?
}
# A shell without job control starts what runs beside it with SIGINT ignored; the programs then leave it so.
if env --default-signal=INT true 2>/dev/null; then beside='env --default-signal=INT'
elif command -v perl >/dev/null; then beside='perl -e $SIG{INT}="DEFAULT";exec@ARGV'
else beside=; fi
export OMP_NUM_THREADS=1 # the runs are small, and others run beside them
touch out err

holds() { awk "BEGIN { exit !($1) }"; } # an inequality between numbers
well_made() { # CSV, header, least number of rows: comments first, then the header, rows of as many fields
  awk -F, -v header="$2" -v least="$3" '/^#/ { if (rows) exit bad = 1; next } !fields { fields = NF; if (index($0, header) != 1) bad = 1; next }
    { rows++; if (NF != fields) bad = 1 } END { exit bad || rows < least }' "$1"
}
value() { # key: its value in the JSON object in `out`
  sed -n "s/^  \"$1\": {\"section\": \"[a-z]*\", \"value\": \([^,}]*\).*/\1/p" out
}
is_json() { # whole, and without the NaN and infinity that JSON does not have
  ! grep -q ': -\{0,1\}\(nan\|inf\)' out && head -c 1 out | grep -q '{' && tail -n 1 out | grep -q '\]}$' &&
    { ! command -v python3 >/dev/null || python3 -m json.tool out >/dev/null; }
}
npy() { # version, dictionary, numbers in octal
  printf "$(printf '\\223NUMPY\\%o\\0\\%o\\0' "$1" "${#2}")"
  [ "$1" = 1 ] || printf '\0\0'
  printf '%s' "$2"
  printf "$3"
}

points() { # 200 points in points.csv: the second input decides, the first is noise
  awk 'BEGIN { srand(1); print "a,b,y"; for (i = 0; i < 200; i++) { a = rand() - 0.5; b = rand() - 0.5; print a "," b "," (b > 0 ? 1 : -1) } }' >points.csv
}
noisy_images() { # in images and labels: three channels of 20 x 12 noisy pixels; even images are brighter above, the label follows
  awk 'BEGIN { printf "\\0\\0\\10\\4\\0\\0\\0\\240\\0\\0\\0\\3\\0\\0\\0\\24\\0\\0\\0\\14"; srand(1)
    for (i = 0; i < 160; i++) for (k = 0; k < 720; k++) printf "\\%o", 40 + int(60 * rand()) + (k % 240 < 120 == i % 2 ? 0 : 80) }' >images.oct
  awk 'BEGIN { printf "\\0\\0\\10\\1\\0\\0\\0\\240"; for (i = 0; i < 160; i++) printf "\\%o", i % 2 }' >labels.oct
  printf "$(cat images.oct)" >images
  printf "$(cat labels.oct)" >labels
}
