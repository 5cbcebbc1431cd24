#!/bin/sh
# Do the documents tell the truth? documents.sh BUILD, the directory where the programs are. Links lead somewhere, commands
# and options exist, names are declared, and the example is the one that is compiled. Prints a line per test.
set -u
. "$(dirname "$0")/limit.sh"
bin=$(cd "$1" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
documents='README.md examples/README.md bench/README.md tests/README.md tests/golden/README.md'
failed=0

result() { # name, 0 for ok; $dir/log says what is wrong
  if [ "$2" = 0 ]; then echo "ok document_$1"; else echo "FAIL document_$1"; sed 's/^/  /' "$dir/log" | head -n 20; failed=1; fi
}
nothing() { # name: nothing was found wrong, and something was looked at
  if [ ! -s "$dir/seen" ]; then echo 'nothing to check was found' >"$dir/log"; fi
  [ ! -s "$dir/log" ]
  result "$1" $?
}

wc -c README.md >"$dir/log"
[ "$(wc -c <README.md)" -le 10000 ]
result front_page_is_short $?

# Links: the file is there, and so is the heading, by the name that it has on a web page.
headings() { # file
  sed -n '/^```/,/^```/d; s/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}
: >"$dir/log"
: >"$dir/seen"
for document in $documents; do
  grep -o '](\([^)]*\))' "$document" | sed 's/^](//; s/)$//' | grep -v '^https\{0,1\}:' >"$dir/links"
  cat "$dir/links" >>"$dir/seen"
  while read -r link; do
    file=${link%%#*}
    if [ -n "$file" ]; then file=$(dirname "$document")/$file; else file=$document; fi
    if [ ! -e "$file" ]; then echo "$document: $link: there is no such file"
    else case $link in *'#'*) headings "$file" | grep -qxF -e "${link#*#}" || echo "$document: $link: there is no such heading" ;; esac; fi
  done <"$dir/links" >>"$dir/log"
done
nothing links_lead_somewhere

# Commands: indented lines, and what stands between backticks; without comments.
for document in $documents; do
  { sed -n 's/^    //p' "$document"; grep -o '`[^`]*`' "$document" | tr -d '`'; } | sed 's/ *#.*//' | grep -E '^([A-Z]+=[^ ]* )?(make|build/|cc) ?'
done | sort -u >"$dir/commands"
sed -n 's/^\([A-Z]*=[^ ]* \)\{0,1\}make //p' "$dir/commands" | awk '{ for (i = 1; i <= NF && $i ~ /^[a-z-]+$/; i++) print $i }' | sort -u >"$dir/seen"
while read -r target; do grep -q "^\([a-z-]* \)*$target\( [a-z-]*\)*:" Makefile || echo "make $target: there is no such target"; done <"$dir/seen" >"$dir/log"
nothing targets_exist

grep '^build/[a-z_]* ' "$dir/commands" | grep -v '^build/test ' >"$dir/seen"
while read -r command; do
  name=${command%% *} name=${name#build/}
  [ -f "examples/$name.c" ] || { echo "build/$name: there is no such program"; continue; }
  figure=$(echo "$command" | sed -n 's/^[^ ]* \([a-z]*\) .*/\1/p')
  # shellcheck disable=SC2086  # a word or none
  "$bin/$name" $figure --help >"$dir/help" 2>&1 </dev/null
  for option in $(echo "$command" | grep -o -e ' --[a-z-]*'); do
    grep -qE -e "$option([^a-z-]|\$)" "$dir/help" || echo "$command: $option is no option"
  done
done <"$dir/seen" >"$dir/log"
nothing options_exist

sed -n 's/^build\/test build \([a-z_]*\)$/\1/p' "$dir/commands" >"$dir/seen"
while read -r test; do grep -qE "RUN[A-Z_]*\([a-z_]*$test" tests/*.c || echo "build/test build $test: there is no such test"; done <"$dir/seen" >"$dir/log"
nothing tests_exist

# Every example has its place among the programs, and every group of tests among the groups.
for source in examples/*.c; do
  name=$(basename "$source" .c)
  grep -q "^|.*\`$name\`.*|" README.md || echo "README.md: $source is not among the programs"
done >"$dir/log"
for group in $(sed -n 's/^ *\([a-z_]*\)_tests();$/\1/p' tests/test.c | grep -v '^\(itself\|slow\|scaling\)$'); do
  grep -q "^|[^|]*\`$group\`[^|]*|" tests/README.md || echo "tests/README.md: $group is not among the groups"
done >>"$dir/log"
nothing tables_are_complete

# Names of the library are declared; the table of diagnostics leaves out their beginning.
{ grep -oh '`invman_[a-z_]*`\|`INVMAN_[A-Z_]*`' $documents
  sed -n '/^## Diagnostics/,/^##* [^D]/s/^| [^|]*|\(.*\)|$/\1/p' examples/README.md | grep -o '`[a-z_]*`' | sed 's/^`/`invman_/'
} | tr -d '`' | grep -v '_$' | sort -u >"$dir/seen"
while read -r name; do grep -qw "$name" invman.h || echo "$name is not in invman.h"; done <"$dir/seen" >"$dir/log"
nothing names_are_declared

# The example of the front page is a program that is compiled by another test.
sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d' >"$dir/example.c"
sed -n '/^#define/,$p' examples/minimal.c | sed 's/"\.\.\/invman.h"/"invman.h"/' | diff - "$dir/example.c" >"$dir/log" && [ -s "$dir/example.c" ]
result example_is_minimal $?
exit $failed
