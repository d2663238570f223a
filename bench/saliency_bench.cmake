find_package(OpenCV REQUIRED COMPONENTS core imgproc saliency)
target_link_libraries(bench_saliency PRIVATE smcl_saliency opencv_core opencv_imgproc opencv_saliency)
target_include_directories(bench_saliency SYSTEM PRIVATE ${OpenCV_INCLUDE_DIRS})
