# find_package(procevent): the target procevent::core, the library that procevent_exporter is built on.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/procevent-targets.cmake)
