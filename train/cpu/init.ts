/** Draws the initial weights of a model. */

import type { Rng } from "../../env/random.ts";
import { type Layout, type Parameter, parameter } from "./layout.ts";
import type { ModelConfig } from "./model_config.ts";

/**
 * Draws initial weights, `[layout.floats]`. Matrices are drawn from a normal distribution with standard deviation
 * fanIn^-½ (for the embedding, dim^-½). For matrices that write to the residual stream, the standard deviation is
 * divided by √(2·layers). Gains are 1, the gate's weights and bias are 0, and convolutions are near the identity. The
 * pointer's key matrix equals its query matrix, so that the pointer initially attends to similar tokens.
 */
export function initialWeights(
  config: ModelConfig,
  layout: Layout,
  rng: Rng,
): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(layout.floats);
  const normal = createNormal(rng);
  for (const p of layout.parameters) {
    const view = weights.subarray(p.offset, p.offset + p.size);
    if (p.name.endsWith("norm")) view.fill(1);
    else if (p.name.endsWith("conv")) fillConv(view, normal);
    else if (p.decays) fillNormal(view, deviation(p, config), normal);
  }
  const query = parameter(layout, "pointer.query");
  const key = parameter(layout, "pointer.key");
  weights.copyWithin(key.offset, query.offset, query.offset + query.size);
  return weights;
}

function deviation(p: Parameter, config: ModelConfig): number {
  if (p.name === "embedding") return config.dim ** -0.5;
  const fanIn = p.shape[0]! ** -0.5;
  const writes = p.name.endsWith(".out") || p.name.endsWith(".down");
  return writes ? fanIn / Math.sqrt(2 * config.layers) : fanIn;
}

/**
 * Draws convolution weights, `[3][dim]`, from a normal distribution with standard deviation 0.3. The mean is 1 for the
 * current token and 0 for the two tokens before it.
 */
function fillConv(view: Float32Array, normal: () => number): void {
  fillNormal(view, 0.3, normal);
  const dim = view.length / 3;
  for (let i = 2 * dim; i < 3 * dim; i++) view[i]! += 1;
}

function fillNormal(
  view: Float32Array,
  std: number,
  normal: () => number,
): void {
  for (let i = 0; i < view.length; i++) view[i] = std * normal();
}

/** Returns a generator of standard normal numbers (Box-Muller). */
function createNormal(rng: Rng): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - rng.next()));
    const angle = 2 * Math.PI * rng.next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
