/** What the host calls. */
export { train, trainingBytes } from "./backward";
/** For measuring. */
export { gemm } from "./gemm";
export { adamw, reduce } from "./optimizer";
export { pack } from "./pack";
export { sample, samplingBytes } from "./sampling";
