# OpenCV's core and imgcodecs, found as two libraries: Debian keeps OpenCVConfig.cmake in libopencv-dev,
# which brings 200 more packages than libopencv-core-dev and libopencv-imgcodecs-dev. Sets OpenCV_LIBS.
find_path(OpenCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4)
find_library(OpenCV_core_LIBRARY opencv_core)
find_library(OpenCV_imgcodecs_LIBRARY opencv_imgcodecs)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenCV
  REQUIRED_VARS OpenCV_core_LIBRARY OpenCV_imgcodecs_LIBRARY OpenCV_INCLUDE_DIR)

if(OpenCV_FOUND AND NOT TARGET opencv_imgcodecs)
  add_library(opencv_core UNKNOWN IMPORTED)
  set_target_properties(opencv_core PROPERTIES
    IMPORTED_LOCATION ${OpenCV_core_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OpenCV_INCLUDE_DIR})
  add_library(opencv_imgcodecs UNKNOWN IMPORTED)
  set_target_properties(opencv_imgcodecs PROPERTIES
    IMPORTED_LOCATION ${OpenCV_imgcodecs_LIBRARY}
    INTERFACE_LINK_LIBRARIES opencv_core)
endif()
set(OpenCV_LIBS opencv_imgcodecs opencv_core)
