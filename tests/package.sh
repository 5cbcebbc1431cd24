#!/bin/sh
# The library as another project finds it once it is installed: by pkg-config, by CMake and by -linvman, in C and in C++.
# CC and CXX: the compilers (default cc, c++; CXX empty: skipped). All of it happens in a directory of its own, which is
# removed at the end. Prints a line per test.
set -u
. "$(dirname "$0")/limit.sh"
cd "$(dirname "$0")/.." || exit 1
CC=${CC-cc} CXX=${CXX-c++}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tree" "$dir/user" && cp -R invman.h Makefile .package "$dir/tree" && cd "$dir/user" || exit 1
prefix=$dir/prefix log=$dir/log failed=0
number() { sed -n "s/^#define INVMAN_VERSION_$1 //p" ../tree/invman.h; }
major=$(number MAJOR) minor=$(number MINOR) patch=$(number PATCH)
abi=$major.$minor
version=$abi.$patch
# What this shell's user has set for his own packages says nothing here.
unset CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH LD_LIBRARY_PATH LDFLAGS CMAKE_GENERATOR PKG_CONFIG_LIBDIR

result() { # name, 0 for ok
  if [ "$2" = 0 ]; then echo "ok package_$1"; else echo "FAIL package_$1"; sed 's/^/  /' "$log" | tail -n 20; failed=1; fi
}
in_tree() { # target and variables; nothing here depends on optimisation, which takes its time
  make -s -C ../tree CC="$CC" CFLAGS=-O0 DESTDIR= PREFIX="$prefix" LIBDIR="$prefix/lib" "$@" >"$log" 2>&1
}
holds() { # directory, the files expected in it, beside those of every installation
  where=$1
  shift
  printf './%s\n' include/invman.h share/pkgconfig/invman.pc share/cmake/invman/invman-config.cmake \
    share/cmake/invman/invman-config-version.cmake "$@" | sort >expected
  (cd "$where" && find . ! -type d | sort) | diff expected - >>"$log" 2>&1
}
answers() { # program and its arguments: it ends well, with the right words
  "$@" >answer 2>>"$log" && tr -d '\r' <answer | grep -qx "$version: 3 1" && return
  cat answer >>"$log"
  return 1
}
cmake_builds() { # directory to build in, prefix, the targets wanted (A;B), arguments of the build
  build=$1 from=$2 wanted=$3
  shift 3
  cmake -S . -B "$build" -DCMAKE_PREFIX_PATH="$from" -DWANTED="$wanted" $toolchain >"$log" 2>&1 &&
    cmake --build "$build" "$@" >>"$log" 2>&1
}
without_code() { nm "$1" | grep -q ' U _*invman_eigvalsh'; } # the program, which has it from the library
declared() { sed -n '1,/^#endif \/\* INVMAN_H/p' ../tree/invman.h | tr '\n' ' ' | grep -o 'INVMAN_API [^(;]*(' | grep -o 'invman_[a-z_]*($' | tr -d '(' | sort; }

# One source for all ways: for the shared library INVMAN_NO_IMPLEMENTATION makes its first line void.
cat >main.c <<'END'
#define INVMAN_IMPLEMENTATION
#include <invman.h>
#include <stdio.h>

int main(void) {
  double A[4] = {2, 1, 1, 2}, lambda[2];
  if (invman_eigvalsh(NULL, 2, A, lambda) != INVMAN_OK || invman_version() != INVMAN_VERSION) return 1;
  printf("%d.%d.%d: %.0f %.0f\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, lambda[0], lambda[1]);
  return 0;
}
END
cp main.c main.cpp
languages=C
[ -z "$CXX" ] || languages='C CXX'
cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.10)
project(user $languages)
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF) # not what this machine has installed elsewhere
set(CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH OFF)
find_package(invman $abi REQUIRED COMPONENTS \${WANTED})
get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
foreach(target IN LISTS WANTED)
  add_executable(\${target}_c main.c)
  target_link_libraries(\${target}_c invman::\${target})
  if(CXX IN_LIST languages)
    add_executable(\${target}_cxx main.cpp)
    target_link_libraries(\${target}_cxx invman::\${target})
  endif()
endforeach()
END
toolchain=

case $(uname) in
Darwin) shared=libinvman.$abi.dylib linked=libinvman.dylib ;;
*) shared=libinvman.so.$abi linked=libinvman.so ;;
esac
have_cmake=
command -v cmake >/dev/null && have_cmake=1
have_pkg_config=
command -v pkg-config >/dev/null && have_pkg_config=1
# shellcheck disable=SC2046,SC2086  # flags and $CC are lists of words
{
  # The header alone.
  in_tree install && holds "$prefix" && cmp ../tree/invman.h "$prefix/include/invman.h" >>"$log"
  result install $?
  if [ -n "$have_pkg_config" ]; then
    export PKG_CONFIG_PATH="$prefix/share/pkgconfig"
    $CC main.c $(pkg-config --cflags --libs invman) -o c >"$log" 2>&1 && answers ./c
    result pkg_config $?
    if [ -n "$CXX" ]; then
      $CXX main.cpp $(pkg-config --cflags --libs invman) -o cxx >"$log" 2>&1 && answers ./cxx
      result pkg_config_cxx $?
    fi
    { [ "$(pkg-config --modversion invman)" = "$version" ] && pkg-config --exists "invman >= $abi" &&
      ! pkg-config --exists "invman >= $version.1"; } >"$log" 2>&1
    result pkg_config_version $?
  else
    echo 'skip package_pkg_config: no pkg-config'
  fi
  if [ -n "$have_cmake" ]; then
    export CC
    [ -z "$CXX" ] || export CXX
    cmake_builds header "$prefix" invman && answers header/invman_c
    result cmake $?
    if [ -n "$CXX" ]; then
      answers header/invman_cxx
      result cmake_cxx $?
    fi
    # Without the shared library there is no such target, and a project that needs it is told so at once.
    ! cmake_builds missing "$prefix" shared && grep -q 'invman::shared is not installed' "$log"
    result cmake_shared_missing $?
  else
    echo 'skip package_cmake: no cmake'
  fi

  # The shared library.
  in_tree install-shared && holds "$prefix" "lib/$shared" "lib/$linked"
  result install_shared $?
  if [ "$(uname)" = Darwin ]; then nm -gU "$prefix/lib/$shared" | sed 's/ _/ /'; else nm -D --defined-only "$prefix/lib/$shared"; fi |
    awk '$NF !~ /^_/ { print $NF }' | sort >exported # what begins with _ is the linker's
  declared >public
  diff public exported >"$log" && [ "$(wc -l <public)" -gt 100 ]
  result exports_are_the_public_functions $?
  if command -v readelf >/dev/null && readelf -h "$prefix/lib/$shared" >"$log" 2>&1; then
    readelf -d "$prefix/lib/$shared" >"$log" && grep -q "SONAME.*\[$shared\]" "$log"
    result soname $?
  else
    echo 'skip package_soname: no readelf, or no ELF'
  fi
  by_hand="-DINVMAN_NO_IMPLEMENTATION -I$prefix/include -L$prefix/lib -linvman -Wl,-rpath,$prefix/lib"
  $CC main.c $by_hand -o c >"$log" 2>&1 && answers ./c && without_code c
  result linvman $?
  if [ -n "$CXX" ]; then
    $CXX main.cpp $by_hand -o cxx >"$log" 2>&1 && answers ./cxx && without_code cxx
    result linvman_cxx $?
  fi

  if [ -n "$have_cmake" ]; then
    cmake_builds shared "$prefix" shared && answers shared/shared_c && without_code shared/shared_c
    result cmake_shared $?
    if [ -n "$CXX" ]; then
      answers shared/shared_cxx && without_code shared/shared_cxx
      result cmake_shared_cxx $?
    fi

    # A request for a version is met by the same minor version, from its patch on, or by a range that says so.
    mkdir versions
    cat >versions/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.10)
project(versions C)
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF) # not what this machine has installed elsewhere
set(CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH OFF)
set(good $abi $version)
set(bad $abi.$((patch + 1)) $major.$((minor + 1)) $((major + 1)).$minor)
if($minor GREATER 0)
  list(APPEND bad $major.$((minor - 1)))
endif()
if(NOT CMAKE_VERSION VERSION_LESS 3.19)
  list(APPEND good 0.1...$version $abi...<$major.$((minor + 1)))
  list(APPEND bad 0.1...<$version $version.1...$((major + 1)))
endif()
foreach(version IN LISTS good bad)
  find_package(invman \${version} QUIET)
  if(invman_FOUND AND NOT version IN_LIST good)
    message(SEND_ERROR "\${version} is taken for $version")
  elseif(NOT invman_FOUND AND version IN_LIST good)
    message(SEND_ERROR "\${version} is refused by $version")
  endif()
endforeach()
find_package(invman $version EXACT REQUIRED)
END
    cmake -S versions -B versions/build -DCMAKE_PREFIX_PATH="$prefix" >"$log" 2>&1
    result cmake_version $?
  fi

  # What is installed may be moved.
  mv "$prefix" "$dir/elsewhere"
  if [ -n "$have_pkg_config" ]; then
    export PKG_CONFIG_PATH="$dir/elsewhere/share/pkgconfig"
    $CC -DINVMAN_NO_IMPLEMENTATION main.c $(pkg-config --cflags --libs invman) -L"$dir/elsewhere/lib" -linvman \
      -Wl,-rpath,"$dir/elsewhere/lib" -o c >"$log" 2>&1 && answers ./c
    result pkg_config_moved $?
  fi
  if [ -n "$have_cmake" ]; then
    cmake_builds moved "$dir/elsewhere" 'invman;shared' --target shared_c && answers moved/shared_c && without_code moved/shared_c
    result cmake_moved $?
  fi
  mv "$dir/elsewhere" "$prefix"

  # What others have put there stays.
  : >"$prefix/include/other.h"
  : >"$prefix/share/cmake/other.cmake"
  in_tree uninstall && [ "$(cd "$prefix" && find . ! -type d | sort | tr '\n' ' ')" = './include/other.h ./share/cmake/other.cmake ' ] &&
    [ ! -e "$prefix/share/cmake/invman" ] && in_tree uninstall
  result uninstall $?

  # DESTDIR comes before everything and is written nowhere.
  stage="$dir/a stage"
  in_tree install-shared DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/here && holds "$stage/usr" "lib/here/$shared" "lib/here/$linked" &&
    ! grep -rF "$dir" "$stage" >>"$log" && [ "$(ls "$stage")" = usr ]
  result destdir $?
  if [ -n "$have_cmake" ]; then
    cmake_builds staged "$stage/usr" shared --target shared_c && answers staged/shared_c
    result cmake_libdir $?
  fi
  in_tree uninstall DESTDIR="$stage" PREFIX=/usr LIBDIR=/usr/lib/here && [ -z "$(find "$stage" ! -type d)" ]
  result destdir_uninstall $?

  # Windows, from elsewhere: the library is found beside the program.
  CC=x86_64-w64-mingw32-gcc
  if command -v $CC >/dev/null; then
    prefix=$dir/windows shared=libinvman-$abi.dll
    in_tree install-shared OPENMP= && holds "$prefix" "bin/$shared" lib/libinvman.dll.a
    result windows_install $?
    x86_64-w64-mingw32-objdump -p "$prefix/bin/$shared" | sed -n '/Name Pointer\] Table/,/^$/p' | grep -o 'invman_[a-z_]*$' | sort |
      diff public - >"$log"
    result windows_exports $?
    mkdir run && cp "$prefix/bin/$shared" run &&
      $CC main.c -DINVMAN_NO_IMPLEMENTATION -I"$prefix/include" -L"$prefix/lib" -linvman -o run/c.exe >"$log" 2>&1
    result windows_linvman $?
    if [ -n "$have_cmake" ]; then
      toolchain=-DCMAKE_SYSTEM_NAME=Windows
      sed -i.old 's/^project.*/project(user C)/' CMakeLists.txt
      cmake_builds windows "$prefix" shared && cp windows/shared_c.exe run
      result windows_cmake $?
    fi
    if command -v wine >/dev/null; then
      export WINEDEBUG=-all WINEPREFIX="$dir/wine" HOME="$dir"
      : >"$log"
      status=0
      for program in run/*.exe; do answers wine "$program" || status=1; done
      wineserver -k >/dev/null 2>&1 # of this directory alone
      result windows_runs $status
    else
      echo 'skip package_windows_runs: no wine'
    fi
    in_tree uninstall && [ -z "$(find "$prefix" ! -type d)" ]
    result windows_uninstall $?
  else
    echo "skip package_windows: no $CC"
  fi
}
exit $failed
