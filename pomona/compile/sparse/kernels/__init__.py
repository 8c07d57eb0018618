"""Native kernels as LLVM IR text: one operation a file, each for any vector width."""
