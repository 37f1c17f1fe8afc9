/**
 * Verifies that a checkpoint contains the expected model: every tensor of the shape and, if there is another checkpoint
 * to compare with, the same elements as in that checkpoint.
 *
 * If a tensor is missing, Megatron's loader only prints that it skips the tensor, and training starts from random
 * values. A converter that swaps two matrices prints nothing. The verification therefore compares the bytes themselves.
 */

import { messageOf } from "../../../env/errors.ts";
import {
  areEqual,
  compareAll,
  type Comparison,
  type Pair,
  pairBytes,
} from "./compare_tensors.ts";
import { type TensorFault, TRAINING } from "./tensor_fault.ts";
import {
  type CheckpointShape,
  type LayoutEntry,
  layoutOf,
  mistakes,
} from "./checkpoint_layout.ts";
import { shapeDifferences } from "./shape.ts";
import {
  type Checkpoint,
  type Format,
  placeInMegatron,
  type View,
  type ViewTensor,
} from "./tensor_view.ts";

/** Options for {@linkcode verifyCheckpoints}. */
export interface VerifyOptions {
  /** The shape of the expected model. */
  readonly shape: CheckpointShape;
  /** The checkpoint to compare with; `undefined` to inspect a single checkpoint. */
  readonly other?: Checkpoint | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes that have been compared so far, and the expected total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** The number of bytes to read at once from each checkpoint. Default: 8 MiB. */
  readonly blockBytes?: number | undefined;
}

/**
 * The result of a verification for one tensor.
 * - `equal`: all elements of both tensors are equal.
 * - `rounded`: the types differ, but all elements are equal once rounded to the same type.
 * - `whole`: the tensor was inspected without a comparison, and can be read completely.
 * - `differs`: some elements differ.
 * - `unreadable`: a tensor cannot be read, or the two types cannot be compared.
 */
export type TensorStatus =
  | "equal"
  | "rounded"
  | "whole"
  | "differs"
  | "unreadable";

/** The result for one tensor, which was compared between two checkpoints or inspected in a single checkpoint. */
export interface TensorResult {
  readonly name: string;
  /** The kind of tensor, such as `q_proj`. */
  readonly kind: string;
  readonly shape: readonly number[];
  readonly dtypes: readonly string[];
  readonly status: TensorStatus;
  /** The number of elements that differ; NaN if the tensors differ, but their type is not BF16, F16 or F32. */
  readonly differing: number;
  /** The index of the first element that differs; `undefined` if none differs. */
  readonly firstIndex: readonly number[] | undefined;
  /** The two values at that index, in the order of the checkpoints. */
  readonly firstValues: readonly number[] | undefined;
  readonly largestDifference: number | undefined;
}

/** The result of a verification. */
export interface VerifyReport {
  readonly checkpoints: readonly {
    readonly path: string;
    readonly format: Format;
    readonly ignored: readonly string[];
  }[];
  /** The model's shape; `undefined` if a directory could not be opened. */
  readonly shape: CheckpointShape | undefined;
  readonly tensors: readonly TensorResult[];
  /** The faults that were found; empty if the checkpoint is correct. */
  readonly faults: readonly TensorFault[];
  /** Notes on unusual values that are not faults, one sentence each. */
  readonly notes: readonly string[];
  /** The number of bytes that were compared or inspected, in all checkpoints. */
  readonly bytes: number;
}

/**
 * Compares a checkpoint with another checkpoint, or inspects a single checkpoint.
 * @throws The signal's reason, once it is aborted.
 */
export async function verifyCheckpoints(
  one: Checkpoint,
  { shape, other, signal, onProgress, blockBytes }: VerifyOptions,
): Promise<VerifyReport> {
  const checkpoints = other ? [one, other] : [one];
  const views = checkpoints.map((checkpoint) => checkpoint.view(shape));
  const plan = planItems(shape, views);
  const total = pairBytes(plan);
  let done = 0;
  const compared = await compareAll(plan, {
    signal,
    blockBytes,
    onBytes: (bytes) => {
      done += bytes;
      onProgress?.(done, total);
    },
  });
  const results = plan.map((item, i) => ({ ...item, ...compared[i]! }));
  const model = results.filter(({ role }) => role === "tensor");
  const context = { shape, checkpoints, signal, blockBytes };
  return {
    checkpoints: checkpoints.map(({ path, format, ignored }) => ({
      path,
      format,
      ignored,
    })),
    shape,
    faults: [
      ...checkpoints.flatMap((checkpoint) => configFaults(checkpoint, shape)),
      ...checkpoints.flatMap(({ faults }) => faults),
      ...views.flatMap(({ faults }) => faults),
      ...results.flatMap((result) => ownFaults(result, checkpoints)),
      ...await valueFaults(model, context),
    ],
    notes: notesOf(results, context),
    tensors: model.map(tensorResult),
    bytes: done,
  };
}

interface Item extends Pair {
  readonly role: "tensor" | "tied" | "padding";
  readonly entry: LayoutEntry;
  /** The index of the checkpoint that contains the left tensor. */
  readonly where: number;
}

type Result = Item & Comparison;

/** Lists the tensors to compare or inspect, in the order of their bytes on disk, as far as that order is known. */
function planItems(shape: CheckpointShape, views: readonly View[]): Item[] {
  const layout = layoutOf(shape);
  const items: Item[] = [];
  for (const entry of layout) {
    const [left, right] = views.map((view) => view.tensors.get(entry.name));
    const both = views.length === 2;
    if (left && (right || !both)) {
      items.push({ role: "tensor", entry, left, right, where: 0 });
    }
  }
  views.forEach((view, where) => {
    const embedding = view.tensors.get(layout[0]!.name);
    if (
      view.tiedCopy && view.tiedCopy.shape.join() === embedding?.shape.join()
    ) {
      items.push({
        role: "tied",
        entry: layout[0]!,
        left: view.tiedCopy,
        right: embedding,
        where,
      });
    }
    for (const left of view.padding) {
      items.push({ role: "padding", entry: layout[0]!, left, where });
    }
  });
  return items.toSorted((a, b) => byPlace(a.left, b.left));
}

/**
 * Compares two tensors by their position on disk, for sorting. Reading in this order is faster, because the reads are
 * sequential. In safetensors, the order on disk differs from the order of the layers.
 */
function byPlace(a: ViewTensor, b: ViewTensor): number {
  const [x, y] = [a, b].map(({ segments }) => {
    const { source, lead } = segments[0]!;
    return lead.length === 0 && source.chunks.length === 1
      ? source.chunks[0]
      : undefined;
  });
  if (!x || !y) return 0;
  try {
    const [one, two] = [x.locate(), y.locate()];
    return one.path === two.path
      ? one.offset - two.offset
      : one.path < two.path
      ? -1
      : 1;
  } catch {
    return 0; // the error is reported when the tensor is read
  }
}

function tensorResult(result: Result): TensorResult {
  const { entry, left, dtypes, difference } = result;
  return {
    name: entry.name,
    kind: entry.kind,
    shape: left.shape,
    dtypes,
    status: statusOf(result),
    differing: difference?.count ?? 0,
    firstIndex: difference && indexOf(difference.first, left.shape),
    firstValues: difference?.values,
    largestDifference: difference?.largest,
  };
}

function statusOf(
  { unreadable, incomparable, difference, roundedTo, right }: Result,
): TensorStatus {
  if (unreadable || incomparable !== undefined) return "unreadable";
  if (difference) return "differs";
  if (roundedTo) return "rounded";
  return right ? "equal" : "whole";
}

function indexOf(at: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const size of shape.toReversed()) {
    index.unshift(at % size);
    at = Math.floor(at / size);
  }
  return index;
}

function configFaults(
  { path, format, shape: found }: Checkpoint,
  shape: CheckpointShape,
): TensorFault[] {
  const differences = found ? shapeDifferences(found, shape) : [];
  if (differences.length === 0) return [];
  const file = format === "hf" ? "config.json" : "common.pt";
  return [{
    kind: "config",
    where: path,
    tensors: [],
    what: `${file} of "${path}" describes another model: ${
      differences.join("; ")
    }`,
    training: format === "hf"
      ? "slime takes the shape from its flags and stops with hf_validate_args failed, or trains another model"
      : "slime's converter splits the matrices according to these numbers",
  }];
}

/**
 * Returns the faults of a single tensor, apart from values that differ between the checkpoints: it is unreadable, has
 * an incomparable type, contains a NaN or an infinity, or is a tied copy that differs from the embedding.
 */
function ownFaults(
  result: Result,
  checkpoints: readonly Checkpoint[],
): TensorFault[] {
  const { left, unreadable, incomparable, difference, entry } = result;
  const of = (
    fault: Omit<TensorFault, "where" | "tensors">,
    name = entry.name,
  ) => [
    { ...fault, where: checkpoints[result.where]!.path, tensors: [name] },
  ];
  if (incomparable !== undefined) {
    const training = TRAINING.other;
    return of({ kind: "dtype", what: incomparable, training });
  }
  if (unreadable) {
    const what = messageOf(unreadable);
    return of({ kind: "unreadable", what, training: TRAINING.unread });
  }
  if (result.role === "tied" && difference) {
    const what = `the model ties its output layer to the embedding, but "${
      left.segments[0]!.source.name
    }" differs from the embedding: ${differenceText(result)}`;
    const training = "one of the two would be dropped silently";
    return of({ kind: "tied", what, training }, left.name);
  }
  if (result.role === "tensor" && result.stats?.nonfinite) {
    const what = "it contains a NaN or an infinity";
    const training = "the first loss would be NaN";
    return of({ kind: "nonfinite", what, training });
  }
  return [];
}

interface Context
  extends Pick<VerifyOptions, "shape" | "signal" | "blockBytes"> {
  readonly checkpoints: readonly Checkpoint[];
}

/** Returns one fault per kind of tensor with differing values, with the likely cause if one is found. */
async function valueFaults(
  results: readonly Result[],
  context: Context,
): Promise<TensorFault[]> {
  const differing = results.filter((one) => one.difference && !one.unreadable);
  const byKind = Map.groupBy(differing, ({ entry }) => entry.kind);
  const faults: TensorFault[] = [];
  for (const group of byKind.values()) {
    const worst = group[0]!;
    const cause = await likelyCause(worst, context);
    faults.push({
      kind: "values",
      where: context.checkpoints[1]!.path,
      tensors: group.map(({ entry }) => entry.name),
      what: differenceText(worst) + (cause === undefined ? "" : `: ${cause}`),
      training: TRAINING.other,
    });
  }
  return faults;
}

function differenceText({ difference, left, roundedTo }: Result): string {
  const { count, first, values: [a, b], largest } = difference!;
  const of = left.shape.reduce((product, size) => product * size, 1);
  if (Number.isNaN(count)) return "its bytes differ";
  return `${count} of ${of} elements ${
    count === 1 ? "differs" : "differ"
  }, the first at [${indexOf(first, left.shape).join(", ")}] (${
    number(a)
  } and ${number(b)}), by at most ${number(largest)}${
    roundedTo ? `, both as ${roundedTo}` : ""
  }`;
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/**
 * Returns the likely cause of the differing values, such as a common mistake of the program that wrote the checkpoint;
 * `undefined` if no known cause explains them.
 */
async function likelyCause(
  { left, right, entry, difference }: Result,
  { shape, checkpoints, signal, blockBytes }: Context,
): Promise<string | undefined> {
  const sides = [left, right!];
  const written = checkpoints.findIndex(({ format }) =>
    format === "torch_dist"
  );
  const read = sides[1 - written];
  if (written >= 0 && checkpoints[1 - written]?.format === "hf" && read) {
    for (const mistake of mistakes(entry, shape)) {
      const place = placeInMegatron(mistake.entry, sides[written]!);
      const pair = place && { left: read, right: place };
      if (pair && await areEqual(pair, { signal, blockBytes })) {
        return mistake.what;
      }
    }
  }
  const fresh = difference!.spreads.findIndex((spread) =>
    looksInitialized(spread, { entry, shape })
  );
  return fresh < 0
    ? undefined
    : `in "${checkpoints[fresh]!.path}" it still has Megatron's initial values`;
}

/**
 * Checks whether a tensor still seems to have its initial values. Norms are initialized with ones. Matrices have a
 * standard deviation of 0.02, or less at the end of a residual branch.
 */
function looksInitialized(
  { mean, std }: { mean: number; std: number },
  { entry, shape }: { entry: LayoutEntry; shape: CheckpointShape },
): boolean {
  if (entry.shape.length === 1) return mean === 1 && std === 0;
  const isOutput = entry.kind === "o_proj" || entry.kind === "down_proj";
  const spread = isOutput ? 0.02 / Math.sqrt(2 * shape.layers) : 0.02;
  return Math.abs(std / spread - 1) < 0.03 && Math.abs(mean) < 0.1 * spread;
}

function notesOf(
  results: readonly Result[],
  { checkpoints }: Context,
): string[] {
  const model = results.filter(({ role }) => role === "tensor");
  const named = (which: (result: Result) => boolean) =>
    model.filter(which).map(({ entry }) => entry.name);
  const zero = named(({ stats }) => stats?.zero ?? false);
  const constant = named(({ stats, left }) =>
    left.shape.length > 1 && (stats?.constant ?? false) && !stats!.zero
  );
  const rounded = model.filter((one) => one.roundedTo && !one.difference);
  const norms = model.filter(({ left, stats }) =>
    left.shape.length === 1 && stats
  );
  return [
    ...some(zero, "only zeros"),
    ...some(constant, "only a single value"),
    ...(norms.length > 0 && norms.every(({ stats }) => stats!.constant)
      ? [
        "every norm contains only a single value: the model looks freshly initialized, not trained",
      ]
      : []),
    ...(rounded.length === 0 ? [] : [
      `${
        rounded.length === 1 ? "1 tensor has" : `${rounded.length} tensors have`
      } different types in the two checkpoints (${
        [...new Set(rounded.map(({ dtypes }) => dtypes.join(" and ")))].join(
          ", ",
        )
      }), but equal values once rounded to ${rounded[0]!.roundedTo}`,
    ]),
    ...results.filter(({ role }) => role === "padding").map((one) =>
      paddingNote(one, checkpoints[one.where]!.path)
    ),
  ];
}

function some(names: readonly string[], what: string): string[] {
  if (names.length === 0) return [];
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  const verb = names.length === 1 ? "contains" : "contain";
  return [`${names.slice(0, 3).join(", ")}${more} ${verb} ${what}`];
}

function paddingNote({ left, stats }: Result, path: string): string {
  const [segment] = left.segments;
  return `"${segment!.source.name}" in "${path}" has ${
    left.shape[0]
  } rows past the vocabulary, which are ${
    stats?.zero ? "zero" : "not all zero"
  } and not compared`;
}
