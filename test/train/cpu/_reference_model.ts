/**
 * Implements the model without optimizations, as a reference for the kernels. It computes in f64, one token at a time,
 * without a cache or blocks.
 */
import { type Layout, layoutOf } from "../../../train/cpu/layout.ts";
import type { ModelConfig } from "../../../train/cpu/model_config.ts";

type Vector = number[];

/** Returns the probabilities of the next token after each position, `[T][V]`. */
export function referenceProbabilities(
  config: ModelConfig,
  weights: Float32Array,
  ids: ArrayLike<number>,
): Vector[] {
  const layout = layoutOf(config);
  const get = (name: string) => tensor(layout, weights, name);
  const tokens = Array.from(ids);
  const { dim, vocab, pointerDim } = config;
  const embedding = get("embedding");
  let xs = tokens.map((id) => embedding.slice(id * dim, (id + 1) * dim));
  for (let l = 0; l < config.layers; l++) xs = block(config, get, l, xs);
  const ys = xs.map((x) => rmsNorm(x, get("norm")));
  const queries = ys.map((y) => times(y, get("pointer.query"), pointerDim));
  const keys = ys.map((y) => times(y, get("pointer.key"), pointerDim));
  return ys.map((y, t) => {
    const logits = Array.from(
      { length: vocab },
      (_, v) => inner(y, embedding.slice(v * dim, (v + 1) * dim)),
    );
    const said = softmax(logits);
    if (t === 0) return said;
    const attention = softmax(
      keys.slice(0, t).map((k) =>
        inner(queries[t]!, k) / Math.sqrt(pointerDim)
      ),
    );
    const z = inner(y, get("pointer.gate.weight")) +
      get("pointer.gate.bias")[0]!;
    const gate = 1 / (1 + Math.exp(-z));
    const p = said.map((s) => (1 - gate) * s);
    attention.forEach((a, j) => p[tokens[j + 1]!]! += gate * a);
    return p;
  });
}

function block(
  config: ModelConfig,
  get: (name: string) => Vector,
  l: number,
  xs: Vector[],
): Vector[] {
  const { dim, hidden } = config;
  const hs = xs.map((x) => rmsNorm(x, get(`layers.${l}.attention.norm`)));
  const w = get(`layers.${l}.attention.conv`);
  const convolved = hs.map((_, t) =>
    Array.from(
      { length: dim },
      (_, i) =>
        [0, 1, 2].reduce(
          (sum, k) => sum + w[k * dim + i]! * (hs[t - 2 + k]?.[i] ?? 0),
          0,
        ),
    )
  );
  const mixed = attention(
    config,
    convolved.map((c) => times(c, get(`layers.${l}.attention.qkv`), 3 * dim)),
  );
  return xs.map((x, t) => {
    const mid = plus(
      x,
      times(
        plus(mixed[t]!, convolved[t]!),
        get(`layers.${l}.attention.out`),
        dim,
      ),
    );
    const h = rmsNorm(mid, get(`layers.${l}.mlp.norm`));
    const gateUp = times(h, get(`layers.${l}.mlp.gate_up`), 2 * hidden);
    const act = gateUp.slice(0, hidden).map((g, i) =>
      g / (1 + Math.exp(-g)) * gateUp[hidden + i]!
    );
    return plus(mid, times(act, get(`layers.${l}.mlp.down`), dim));
  });
}

function attention(config: ModelConfig, qkv: Vector[]): Vector[] {
  const { dim, heads } = config;
  const width = dim / heads;
  const part = (t: number, which: number, h: number) => {
    const start = which * dim + h * width;
    return qkv[t]!.slice(start, start + width);
  };
  return qkv.map((_, t) =>
    Array.from({ length: heads }, (_, h) => {
      const q = rotate(config, part(t, 0, h), t);
      const scores = qkv.slice(0, t + 1).map((_, j) =>
        inner(q, rotate(config, part(j, 1, h), j)) / Math.sqrt(width)
      );
      return softmax(scores).reduce(
        (sum, a, j) => plus(sum, part(j, 2, h).map((v) => a * v)),
        new Array<number>(width).fill(0),
      );
    }).flat()
  );
}

function rotate(config: ModelConfig, v: Vector, t: number): Vector {
  const half = v.length / 2;
  return v.map((x, i) => {
    const pair = i % half;
    const angle = t * config.ropeBase ** (-pair / half);
    const other = i < half ? -v[i + half]! : v[i - half]!;
    return x * Math.cos(angle) + other * Math.sin(angle);
  });
}

function tensor(layout: Layout, weights: Float32Array, name: string): Vector {
  const p = layout.parameters.find((p) => p.name === name)!;
  return Array.from(weights.subarray(p.offset, p.offset + p.size));
}

function times(x: Vector, w: Vector, n: number): Vector {
  return Array.from(
    { length: n },
    (_, j) => x.reduce((sum, v, i) => sum + v * w[i * n + j]!, 0),
  );
}

function rmsNorm(x: Vector, gain: Vector): Vector {
  const r = 1 / Math.sqrt(inner(x, x) / x.length + 1e-6);
  return x.map((v, i) => v * r * gain[i]!);
}

function softmax(scores: Vector): Vector {
  const top = Math.max(...scores);
  const e = scores.map((s) => Math.exp(s - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
}

function inner(a: Vector, b: Vector): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

function plus(a: Vector, b: Vector): Vector {
  return a.map((x, i) => x + b[i]!);
}
