/** What the host calls. */
export { train, trainingBytes } from "./backward";
export { adamw, reduce } from "./optimizer";
export { pack } from "./pack";
export { sample, samplingBytes } from "./sampling";
