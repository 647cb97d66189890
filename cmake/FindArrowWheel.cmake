# Arrow and Parquet out of the `pyarrow` wheel (scripts/setup.sh puts them into .deps/arrow), or any
# folder that AITQE_ARROW_DIR points at. The wheel has neither CMake files nor libraries without a
# version in their name, so they are linked by their full path. Without it there is no target
# aitqe_arrow, and the program writes report rows as JSON lines only.
set(AITQE_ARROW_DIR ${CMAKE_SOURCE_DIR}/.deps/arrow/pyarrow CACHE PATH
    "Folder with Arrow's include/ and its libarrow.so.*, libparquet.so.*")
file(GLOB arrow_library ${AITQE_ARROW_DIR}/libarrow.so.*)
file(GLOB parquet_library ${AITQE_ARROW_DIR}/libparquet.so.*)
if(NOT arrow_library OR NOT parquet_library OR NOT EXISTS ${AITQE_ARROW_DIR}/include/parquet/arrow/writer.h)
  message(WARNING "no Arrow in ${AITQE_ARROW_DIR}: report rows will be JSON lines only; run "
                  "scripts/setup.sh, point AITQE_ARROW_DIR at one, or set AITQE_WITH_PARQUET to OFF")
  return()
endif()
add_library(aitqe_arrow INTERFACE)
target_include_directories(aitqe_arrow SYSTEM INTERFACE ${AITQE_ARROW_DIR}/include)
target_link_libraries(aitqe_arrow INTERFACE ${parquet_library} ${arrow_library})
target_link_options(aitqe_arrow INTERFACE -Wl,-rpath,${AITQE_ARROW_DIR} -Wl,--allow-shlib-undefined)
