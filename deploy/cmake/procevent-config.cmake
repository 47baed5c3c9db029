# find_package(procevent): defines the target procevent::core, the library of procevent_exporter.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/procevent-targets.cmake)
