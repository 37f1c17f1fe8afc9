/**
 * Describes the layout of a Qwen3 model (dense or mixture of experts) in a Megatron checkpoint: the name and the rows
 * of each tensor.
 *
 * Megatron merges queries, keys and values into one matrix. Its rows are ordered by groups of heads: the queries of the
 * first group, its key, its value, then the next group. The gate and up projections are one matrix, which starts with
 * all gate rows. The same tensor of all layers is either one stack, whose first axis is the layer, or one tensor per
 * layer, whose name contains the layer's number. The experts of a layer are always stacked along an axis. The
 * vocabulary's rows are padded.
 *
 * @see Megatron-LM `megatron/core/transformer/transformer_block.py`, `mlp.py`, `moe/experts.py` at 1dcf0da; slime
 * `slime/backends/megatron_utils/hf_to_megatron/{qwen,common}.py` and `megatron_to_hf/qwen2.py` at 624b824.
 */

import type { ModelShape } from "../model_shapes.ts";

/** A model's shape without the number of positions, which does not affect its tensors. */
export type CheckpointShape = Omit<ModelShape, "positions">;

/** Rows that are consecutive both in Megatron's matrix and in Hugging Face's tensor. */
export interface RowRange {
  /** The index of the first row in Megatron's matrix. */
  readonly row: number;
  readonly rows: number;
}

/** A tensor, and its position in both formats. */
export interface LayoutEntry {
  /** The name in Hugging Face's format. */
  readonly name: string;
  /** The shape in Hugging Face's format. */
  readonly shape: readonly number[];
  /** The kind of tensor, without the layer, such as `q_proj`. */
  readonly kind: string;
  /** Megatron's name after `decoder.layers.`, or the whole name if the tensor is not in a layer. */
  readonly key: string;
  readonly layer: number | undefined;
  /** The index of the expert in its layer. */
  readonly expert?: number;
  /** The number of rows in Megatron's matrix, without padding. */
  readonly megatronRows: number;
  /** The tensor's rows in Megatron's matrix, in the order of Hugging Face's rows. */
  readonly ranges: readonly RowRange[];
  /** Whether Megatron pads the number of rows. */
  readonly padded: boolean;
}

/** The prefix of Megatron's names for tensors in layers. */
export const LAYERS = "decoder.layers.";

/**
 * Returns the layout of all tensors of a model: the embedding, the layers in order, the last norm and, unless it is
 * tied, the output layer.
 */
export function layoutOf(shape: CheckpointShape): LayoutEntry[] {
  const layers = Array.from(
    { length: shape.layers },
    (_, layer) => layerEntries(shape, layer),
  );
  return [
    vocabulary(shape, "model.embed_tokens.weight"),
    ...layers.flat(),
    {
      ...whole("model.norm.weight", [shape.hidden]),
      kind: "norm",
      key: "decoder.final_layernorm.weight",
      layer: undefined,
      padded: false,
    },
    ...(shape.tied ? [] : [vocabulary(shape, LM_HEAD)]),
  ];
}

/** Hugging Face's name for the output layer. */
export const LM_HEAD = "lm_head.weight";

/** Returns the layout of the embedding or of the output layer. */
export function vocabulary(
  { vocab, hidden }: CheckpointShape,
  name: "model.embed_tokens.weight" | typeof LM_HEAD,
): LayoutEntry {
  const head = name === LM_HEAD;
  return {
    ...whole(name, [vocab, hidden]),
    kind: head ? "lm_head" : "embed_tokens",
    key: head ? "output_layer.weight" : "embedding.word_embeddings.weight",
    layer: undefined,
    padded: true,
  };
}

function whole(name: string, shape: readonly number[]) {
  const rows = shape[0]!;
  return { name, shape, megatronRows: rows, ranges: [{ row: 0, rows }] };
}

function layerEntries(shape: CheckpointShape, layer: number): LayoutEntry[] {
  const { hidden, ffn, heads, headDim, kvGroups, experts } = shape;
  const qkvRows = (heads + 2 * kvGroups) * headDim;
  const common = { layer, padded: false };
  const plain = (name: string, of: readonly number[], key: string) => ({
    ...common,
    ...whole(`model.layers.${layer}.${name}.weight`, of),
    kind: name.split(".").at(-1)!,
    key,
  });
  const part = (
    name: string,
    of: Pick<LayoutEntry, "key" | "ranges" | "megatronRows">,
  ) => ({
    ...common,
    name: `model.layers.${layer}.${name}.weight`,
    kind: name.split(".").at(-1)!,
    shape: [of.ranges.reduce((sum, { rows }) => sum + rows, 0), hidden],
    ...of,
  });
  const projection = (which: "q" | "k" | "v") =>
    part(`self_attn.${which}_proj`, {
      key: "self_attention.linear_qkv.weight",
      megatronRows: qkvRows,
      ranges: groupRanges(shape, which),
    });
  const mlp = (
    { name, key, width }: { name: string; key: string; width: number },
  ) => {
    const half = (which: string, row: number) =>
      part(`${name}.${which}`, {
        key: `${key}.linear_fc1.weight`,
        megatronRows: 2 * width,
        ranges: [{ row, rows: width }],
      });
    const down = [hidden, width];
    return [
      half("gate_proj", 0),
      half("up_proj", width),
      plain(`${name}.down_proj`, down, `${key}.linear_fc2.weight`),
    ];
  };
  const feedForward = experts === undefined
    ? mlp({ name: "mlp", key: "mlp", width: ffn })
    : [
      plain("mlp.gate", [experts.count, hidden], "mlp.router.weight"),
      ...Array.from({ length: experts.count }, (_, expert) =>
        mlp({
          name: `mlp.experts.${expert}`,
          key: "mlp.experts.experts",
          width: experts.ffn,
        }).map((entry) => ({ ...entry, expert }))).flat(),
    ];
  return [
    plain(
      "input_layernorm",
      [hidden],
      "self_attention.linear_qkv.layer_norm_weight",
    ),
    projection("q"),
    projection("k"),
    projection("v"),
    plain("self_attn.q_norm", [headDim], "self_attention.q_layernorm.weight"),
    plain("self_attn.k_norm", [headDim], "self_attention.k_layernorm.weight"),
    plain(
      "self_attn.o_proj",
      [hidden, heads * headDim],
      "self_attention.linear_proj.weight",
    ),
    plain(
      "post_attention_layernorm",
      [hidden],
      experts === undefined
        ? "mlp.linear_fc1.layer_norm_weight"
        : "pre_mlp_layernorm.weight",
    ),
    ...feedForward,
  ];
}

/** Returns the rows of the queries, keys or values: one range per group of heads. */
function groupRanges(
  { heads, kvGroups, headDim }: CheckpointShape,
  which: "q" | "k" | "v",
): RowRange[] {
  const queries = heads / kvGroups * headDim;
  const group = queries + 2 * headDim;
  const within = { q: 0, k: queries, v: queries + headDim }[which];
  const rows = which === "q" ? queries : headDim;
  return Array.from({ length: kvGroups }, (_, g) => ({
    row: g * group + within,
    rows,
  }));
}

/** A common mistake of programs that write checkpoints, used to explain a difference. */
export interface Mistake {
  /** A description, such as `gate and up are swapped`. */
  readonly what: string;
  readonly entry: LayoutEntry;
}

/** Returns the common mistakes that could affect a tensor, each with the position that the mistake gives the tensor. */
export function mistakes(
  entry: LayoutEntry,
  shape: CheckpointShape,
): Mistake[] {
  const { kind, layer, megatronRows: rows } = entry;
  const { heads, kvGroups, headDim } = shape;
  const at = (what: string, row: number) => ({
    what,
    entry: { ...entry, ranges: [{ row, rows: entry.shape[0]! }] },
  });
  const first = {
    q_proj: 0,
    k_proj: heads * headDim,
    v_proj: (heads + kvGroups) * headDim,
  }[kind];
  const other = kind === "k_proj" ? "v" : kind === "v_proj" ? "k" : undefined;
  return [
    ...(first === undefined ? [] : [at(
      "all queries come first, then all keys, then all values, but Megatron groups them by heads",
      first,
    )]),
    ...(other === undefined ? [] : [{
      what: "keys and values are swapped",
      entry: { ...entry, ranges: groupRanges(shape, other) },
    }]),
    ...(kind === "gate_proj" ? [at("gate and up are swapped", rows / 2)] : []),
    ...(kind === "up_proj" ? [at("gate and up are swapped", 0)] : []),
    ...[-1, 1].flatMap((step) =>
      layer === undefined || layer + step < 0 || layer + step >= shape.layers
        ? []
        : [{
          what: `the tensor of layer ${layer} is stored as layer ${
            layer + step
          }: layers are shifted`,
          entry: { ...entry, layer: layer + step },
        }]
    ),
  ].filter(({ entry }) => entry.megatronRows === rows);
}
