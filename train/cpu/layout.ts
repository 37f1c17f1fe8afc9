/** The memory layout of a model's parameters. Weights, gradients, moments and checkpoints share it. */

import type { ModelConfig } from "./model_config.ts";

/** A parameter tensor, row-major, inputs × outputs. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** The offset in floats, a multiple of 16. */
  readonly offset: number;
  /** The number of floats. */
  readonly size: number;
  /** Whether weight decay applies. */
  readonly decays: boolean;
}

/** The parameter tensors of a model. */
export interface Layout {
  readonly parameters: readonly Parameter[];
  /** The number of floats up to the end of the last tensor, including gaps; a multiple of 16. */
  readonly floats: number;
  /** The end, in floats, of the tensors to which weight decay applies. */
  readonly decayEnd: number;
}

/**
 * Returns the layout of a model: first the matrices, to which weight decay applies, then the vectors, to which it does
 * not.
 */
export function layoutOf(config: ModelConfig): Layout {
  const { vocab, dim, layers, hidden, pointerDim } = config;
  const matrices: [string, number[]][] = [
    ["embedding", [vocab, dim]],
    ["pointer.query", [dim, pointerDim]],
    ["pointer.key", [dim, pointerDim]],
  ];
  const vectors: [string, number[]][] = [
    ["norm", [dim]],
    ["pointer.gate.weight", [dim]],
    ["pointer.gate.bias", [1]],
  ];
  for (let l = 0; l < layers; l++) {
    matrices.push(
      [`layers.${l}.attention.qkv`, [dim, 3 * dim]],
      [`layers.${l}.attention.out`, [dim, dim]],
      [`layers.${l}.mlp.gate_up`, [dim, 2 * hidden]],
      [`layers.${l}.mlp.down`, [hidden, dim]],
    );
    vectors.push(
      [`layers.${l}.attention.norm`, [dim]],
      [`layers.${l}.attention.conv`, [3, dim]],
      [`layers.${l}.mlp.norm`, [dim]],
    );
  }
  const parameters: Parameter[] = [];
  let offset = 0;
  function place([name, shape]: [string, number[]], decays: boolean) {
    const size = shape.reduce((a, b) => a * b, 1);
    parameters.push({ name, shape, offset, size, decays });
    offset = Math.ceil((offset + size) / 16) * 16;
  }
  for (const tensor of matrices) place(tensor, true);
  const decayEnd = offset;
  for (const tensor of vectors) place(tensor, false);
  return { parameters, floats: offset, decayEnd };
}

/** Returns the number of parameters of a model. */
export function parameterCount(config: ModelConfig): number {
  return layoutOf(config).parameters.reduce((sum, p) => sum + p.size, 0);
}

/**
 * Returns the parameter with the given name.
 * @throws {RangeError} If there is no such parameter.
 */
export function parameter(layout: Layout, name: string): Parameter {
  const found = layout.parameters.find((p) => p.name === name);
  if (!found) throw new RangeError(`The model has no parameter "${name}"`);
  return found;
}
