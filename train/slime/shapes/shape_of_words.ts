/** Reads the shape of a model from Megatron's arguments. */

import { ConfigError } from "../../../env/errors.ts";
import type { ExpertShape, LatentShape, ModelShape } from "../model_shapes.ts";
import { groupWords } from "./argument_words.ts";

/** The information about a model that is not in its arguments. */
export interface ShapeOrigin {
  /** Where the arguments come from, for error messages. */
  readonly origin: string;
  /** The `model_type` in the model's `config.json`. */
  readonly modelType?: string | undefined;
  /**
   * The context length, in tokens, that the model was trained for. Default: the length in the arguments, or unlimited
   * if they contain no length.
   */
  readonly positions?: number | undefined;
}

/**
 * Reads a model's shape from Megatron's arguments.
 * @throws {ConfigError} If a number is missing or invalid.
 */
export function shapeOfWords(
  words: readonly string[],
  { origin, modelType, positions }: ShapeOrigin,
): ModelShape {
  const flags = new Flags(words, origin);
  const layers = flags.number("--num-layers");
  const hidden = flags.number("--hidden-size");
  const heads = flags.number("--num-attention-heads");
  const ffn = flags.number("--ffn-hidden-size");
  const spec = flags.text("--spec") ?? "";
  return {
    layers,
    hidden,
    ffn,
    heads,
    kvGroups: flags.has("--group-query-attention")
      ? flags.number("--num-query-groups")
      : heads,
    headDim: flags.number("--kv-channels", hidden / heads),
    vocab: flags.number("--vocab-size"),
    ropeBase: flags.number("--rotary-base", 10_000),
    positions: positions ??
      flags.number("--max-position-embeddings", Infinity),
    tied: !flags.has("--untie-embeddings-and-output-weights"),
    arguments: words,
    ...modelType === undefined ? {} : { modelType },
    ...expertsOf(flags, { layers, ffn }),
    ...latentOf(flags),
    attention: {
      bias: flags.has("--add-qkv-bias"),
      norms: flags.has("--qk-layernorm"),
      gate: flags.has("--attention-output-gate"),
      // In these models, three of four layers use linear attention, with sizes that no argument states.
      every: /qwen3_(?:5|next)/.test(spec) ? 4 : 1,
    },
  };
}

function expertsOf(
  flags: Flags,
  { layers, ffn }: { readonly layers: number; readonly ffn: number },
): { experts?: ExpertShape } {
  if (!flags.has("--num-experts")) return {};
  const shared = flags.number("--moe-shared-expert-intermediate-size", 0);
  return {
    experts: {
      count: flags.number("--num-experts"),
      active: flags.number("--moe-router-topk", 2),
      ffn: flags.number("--moe-ffn-hidden-size", ffn),
      shared,
      layers: expertLayers(flags.text("--moe-layer-freq") ?? "1", {
        layers,
        origin: flags.origin,
      }),
    },
  };
}

/**
 * Returns the number of layers with experts, given a pattern such as `[0]*1+[1]*45` or `([0,1]*3)`, or a number `n`,
 * which means that every n-th layer has experts.
 * @throws {ConfigError} If the pattern is invalid or has more layers with experts than the model has layers.
 */
function expertLayers(
  pattern: string,
  { layers, origin }: { readonly layers: number; readonly origin: string },
): number {
  const bare = pattern.replace(/[\s()]/g, "");
  if (/^\d+$/.test(bare)) return Math.ceil(layers / Math.max(1, Number(bare)));
  const parts = bare.split("+").map((part) =>
    /^\[([01](?:,[01])*)\](?:\*(\d{1,4}))?$/.exec(part)
  );
  const ones = parts.map((part) =>
    part === null
      ? NaN
      : (part[1] ?? "").replaceAll(/[^1]/g, "").length * Number(part[2] ?? 1)
  );
  const sum = ones.reduce((a, b) => a + b, 0);
  if (Number.isInteger(sum) && sum <= layers) return sum;
  throw new ConfigError(
    `${origin}: --moe-layer-freq "${pattern}" is not a valid pattern for ${layers} ${
      layers === 1 ? "layer" : "layers"
    }`,
    { hint: 'write the pattern as a sum of lists, as in "[0]*1+[1]*45"' },
  );
}

function latentOf(flags: Flags): { latent?: LatentShape } {
  if (!flags.has("--multi-latent-attention")) return {};
  return {
    latent: {
      queryRank: flags.number("--q-lora-rank", 0),
      keyRank: flags.number("--kv-lora-rank", 32),
      headDim: flags.number("--qk-head-dim", 128),
      positionDim: flags.number("--qk-pos-emb-head-dim", 64),
      valueDim: flags.number("--v-head-dim", 128),
    },
  };
}

class Flags {
  readonly origin: string;
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(words: readonly string[], origin: string) {
    this.origin = origin;
    this.#values = new Map(
      groupWords(words).map(({ flag, values }) => [flag, values]),
    );
  }

  has(flag: string): boolean {
    return this.#values.has(flag);
  }

  text(flag: string): string | undefined {
    return this.#values.get(flag)?.[0];
  }

  number(flag: string, otherwise?: number): number {
    const text = this.text(flag);
    if (text === undefined && otherwise !== undefined) return otherwise;
    const value = Number(text);
    if (text !== undefined && Number.isFinite(value) && value >= 0) {
      return value;
    }
    throw new ConfigError(
      text === undefined
        ? `${this.origin}: the model's arguments lack ${flag}`
        : `${this.origin}: ${flag} must be a number of at least 0, but it is "${text}"`,
      {
        hint:
          "compare the arguments with the script of a similar model in slime's scripts/models",
      },
    );
  }
}
