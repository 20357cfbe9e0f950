//! Laws over random inputs: what must hold for every network, every data set and every number of threads.

mod builders;
mod kernel_paths;
mod resume;
mod setting;
mod shared_steps;
mod threads;
mod weights;
