# AITQE_CUDA: AUTO compiles our CUDA kernels where there is an nvcc of CUDA 12.8 or later, ON wants one,
# OFF leaves them out. Compiling them needs no card. The CUDA runtime is linked in: a binary with kernels
# starts on a machine that has neither a GPU nor CUDA. Sets AITQE_HAS_CUDA.
# nvcc is called as a command: CMake 3.25 does not know that it speaks C++20, and looking at it as a
# language takes longer than compiling the kernels.
set(AITQE_CUDA AUTO CACHE STRING "Compile CUDA kernels: AUTO (where nvcc is), ON or OFF")
set_property(CACHE AITQE_CUDA PROPERTY STRINGS AUTO ON OFF)
# Machine code for A100 (and with it all of 8.x), H100/H200 and B200, and PTX for what comes later.
set(AITQE_CUDA_CODE
  -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90
  -gencode arch=compute_100,code=[sm_100,compute_100])

set(AITQE_HAS_CUDA OFF)
if(NOT AITQE_CUDA STREQUAL "OFF")
  find_program(AITQE_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin /usr/local/cuda/bin)
  if(AITQE_NVCC)
    get_filename_component(cuda_bin ${AITQE_NVCC} REALPATH)
    get_filename_component(cuda_bin ${cuda_bin} DIRECTORY)
    find_library(AITQE_CUDART cudart_static
      HINTS ${cuda_bin}/../lib64 ${cuda_bin}/../lib ${cuda_bin}/../targets/x86_64-linux/lib)
    execute_process(COMMAND ${AITQE_NVCC} --version OUTPUT_VARIABLE nvcc_version)
    string(REGEX MATCH "release ([0-9.]+)" nvcc_version "${nvcc_version}")
    if(AITQE_CUDART AND CMAKE_MATCH_1 VERSION_GREATER_EQUAL 12.8)
      set(AITQE_HAS_CUDA ON)
    endif()
  endif()
  if(AITQE_HAS_CUDA)
    message(STATUS "CUDA kernels: ${AITQE_NVCC}, ${nvcc_version}")
  elseif(AITQE_CUDA STREQUAL "AUTO")
    message(STATUS "no nvcc of CUDA 12.8 or later: built without CUDA kernels (AITQE_CUDA)")
  else()
    message(FATAL_ERROR "AITQE_CUDA=ON: no nvcc of CUDA 12.8 or later with its libcudart_static; set AITQE_NVCC")
  endif()
endif()

# aitqe_cuda_source(TARGET FILE): adds an object that nvcc makes of FILE, and the CUDA runtime.
function(aitqe_cuda_source target file)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${file}.o)
  get_filename_component(folder ${object} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  # Nothing is contracted: Note [Rounding of the fused kernels] in kernels/fused.h.
  add_custom_command(OUTPUT ${object}
    COMMAND ${CCACHE} ${AITQE_NVCC} -std=c++20 -O3 -fmad=false --expt-relaxed-constexpr ${AITQE_CUDA_CODE}
            -Xcompiler -Wall,-Wextra,-fPIC $<$<BOOL:${AITQE_WERROR}>:-Werror=all-warnings>
            -I${CMAKE_SOURCE_DIR}/include -MD -MF ${object}.d -c ${CMAKE_CURRENT_SOURCE_DIR}/${file} -o ${object}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file}
    DEPFILE ${object}.d
    COMMENT "Building CUDA object ${file}.o"
    COMMAND_EXPAND_LISTS VERBATIM)
  target_sources(${target} PRIVATE ${object})
  target_link_libraries(${target} PUBLIC ${AITQE_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
endfunction()
