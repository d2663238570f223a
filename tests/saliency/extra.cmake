# OpenCV is the oracle of the fine-grained detector; only tests link it.
find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs saliency)
target_link_libraries(test_saliency PRIVATE opencv_core opencv_imgproc opencv_imgcodecs opencv_saliency)
target_include_directories(test_saliency SYSTEM PRIVATE ${OpenCV_INCLUDE_DIRS})
