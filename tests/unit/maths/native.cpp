// The vector maths compiled for this program, without FMA.
#include "croton/backend/cpu/maths/maths.cpp"
