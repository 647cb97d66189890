# libtorch out of the `torch` wheel (scripts/setup.sh puts it into .deps/libtorch), or any libtorch
# that AITQE_TORCH_DIR points at (the folder that holds include/ and lib/). Only the CPU libraries are
# linked; the CUDA ones are opened at run time when a CUDA device is asked for, so one binary serves both.
set(AITQE_TORCH_DIR ${CMAKE_SOURCE_DIR}/.deps/libtorch/torch CACHE PATH "Folder with libtorch's include/ and lib/")
if(NOT EXISTS ${AITQE_TORCH_DIR}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "no libtorch in ${AITQE_TORCH_DIR}: run scripts/setup.sh, or point AITQE_TORCH_DIR at one")
endif()
add_library(aitqe_torch INTERFACE)
target_include_directories(aitqe_torch SYSTEM INTERFACE ${AITQE_TORCH_DIR}/include)
target_link_libraries(aitqe_torch INTERFACE ${AITQE_TORCH_DIR}/lib/libtorch_cpu.so ${AITQE_TORCH_DIR}/lib/libc10.so)
target_link_options(aitqe_torch INTERFACE -Wl,-rpath,${AITQE_TORCH_DIR}/lib
                    -Wl,--allow-shlib-undefined)
# ATen's headers take most of a compilation: one precompiled copy serves every module that uses them.
function(aitqe_use_aten_pch target)
  if(target STREQUAL aitqe_nn)
    target_precompile_headers(aitqe_nn PRIVATE <ATen/ATen.h> <nlohmann/json.hpp>)
  else()
    target_precompile_headers(${target} REUSE_FROM aitqe_nn)
  endif()
endfunction()
