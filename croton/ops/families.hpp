#pragma once
// One function a family, each defined at the end of its family's file; only catalogue.cpp and the
// families themselves include this.
#include "croton/ops/catalogue.hpp"

namespace croton::families {

Family arithmetic();
Family special();
Family compare();
Family cast();
Family reduce();
Family nnet();
Family shape();
Family create();
Family index();
Family linalg();
Family sort();
Family cumulative();
Family random();
Family control();
Family loop();
Family user();

}  // namespace croton::families
