# find_package(invman @ABI@) gives
#   invman::invman  the header; one file of the project defines INVMAN_IMPLEMENTATION before it includes it
#   invman::shared  the shared library, if it is installed; no file has to define anything
# find_package(invman @ABI@ REQUIRED COMPONENTS shared) fails where the shared library is missing.

# Everything is found from the place of this file, so that the whole prefix may be moved.
get_filename_component(invman_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
get_filename_component(invman_library "@LIBRARY@" ABSOLUTE BASE_DIR "${invman_prefix}")
get_filename_component(invman_linked "@LINKED@" ABSOLUTE BASE_DIR "${invman_prefix}")

if(NOT TARGET invman::invman)
  add_library(invman::invman INTERFACE IMPORTED)
  set_target_properties(invman::invman PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${invman_prefix}/include")
  if(UNIX OR MINGW) # elsewhere the C library holds the functions of <math.h>
    set_target_properties(invman::invman PROPERTIES INTERFACE_LINK_LIBRARIES m)
  endif()
endif()

if(NOT TARGET invman::shared AND EXISTS "${invman_library}")
  add_library(invman::shared SHARED IMPORTED)
  set_target_properties(invman::shared PROPERTIES
    IMPORTED_LOCATION "${invman_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${invman_prefix}/include"
    INTERFACE_COMPILE_DEFINITIONS INVMAN_NO_IMPLEMENTATION) # a file that defines INVMAN_IMPLEMENTATION adds no second copy
  if(WIN32)
    set_target_properties(invman::shared PROPERTIES IMPORTED_IMPLIB "${invman_linked}")
  endif()
endif()

# A component is the target of its name.
foreach(invman_component IN LISTS invman_FIND_COMPONENTS)
  if(TARGET invman::${invman_component})
    set(invman_${invman_component}_FOUND TRUE)
  else()
    set(invman_${invman_component}_FOUND FALSE)
    if(invman_FIND_REQUIRED_${invman_component})
      set(invman_FOUND FALSE)
      set(invman_NOT_FOUND_MESSAGE "invman::${invman_component} is not installed in ${invman_prefix}")
    endif()
  endif()
endforeach()

unset(invman_prefix)
unset(invman_library)
unset(invman_linked)
unset(invman_component)
