/** Exports the kernels that the host and the workers call. */
export { train, trainingBytes } from "./backward";
/** Exported only for benchmarks. */
export { gemm } from "./gemm";
export { adamw, reduce } from "./optimizer";
export { pack } from "./pack";
export { sample, samplingBytes } from "./sampling";
