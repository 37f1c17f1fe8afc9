/** The exports for the host. */
export { train, trainingBytes } from "./backward";
/** For benchmarks. */
export { gemm } from "./gemm";
export { adamw, reduce } from "./optimizer";
export { pack } from "./pack";
export { sample, samplingBytes } from "./sampling";
