/**
 * Provides a common view of checkpoints in both formats: a model's tensors under Hugging Face's names, and where their
 * rows are on disk.
 */

import { join } from "node:path";
import { exists } from "./byte_file.ts";
import { type TensorFault, TRAINING } from "./tensor_fault.ts";
import { isHfDirectory, openHfDirectory } from "./hf_dir.ts";
import {
  type CheckpointShape,
  LAYERS,
  type LayoutEntry,
  layoutOf,
  LM_HEAD,
  vocabulary,
} from "./checkpoint_layout.ts";
import { shapeOfArguments, shapeOfConfig } from "./shape.ts";
import { shapeText, type StoredTensor, tilingFault } from "./tensor.ts";
import { isTorchDist, openTorchDist } from "./torch_dist.ts";
import { DataError } from "../../../env/errors.ts";

/** The format of a checkpoint. */
export type Format = "hf" | "torch_dist";

/** Consecutive rows of a stored tensor. */
export interface Segment {
  readonly source: StoredTensor;
  /**
   * The indices along the axes that precede the rows: the layer, the expert, or both. Empty if the rows are the first
   * axis.
   */
  readonly lead: readonly number[];
  /** The index of the first row in `source`. */
  readonly row: number;
  readonly rows: number;
}

/** A tensor of the model, independent of the format in which its rows are stored. */
export interface ViewTensor {
  /** The name in Hugging Face's format. */
  readonly name: string;
  /** The shape `[rows, …]`. */
  readonly shape: readonly number[];
  /** The segments that contain the tensor's rows, in order. */
  readonly segments: readonly Segment[];
}

/** An open checkpoint. */
export interface Checkpoint extends Disposable {
  /** The path that was passed. */
  readonly path: string;
  readonly format: Format;
  /**
   * The model's shape according to the files alongside the weights; `undefined` if these files do not contain the
   * shape.
   */
  readonly shape: CheckpointShape | undefined;
  /** The faults that are found without reading any tensor. */
  readonly faults: readonly TensorFault[];
  /** The names of items that are not weights, such as the state of the optimizer. */
  readonly ignored: readonly string[];
  /** Returns the tensors of a model with this shape, and their faults. */
  view(shape: CheckpointShape): View;
}

/** The tensors of a model in a checkpoint. */
export interface View {
  /** The tensors, keyed by their names in Hugging Face's format. */
  readonly tensors: ReadonlyMap<string, ViewTensor>;
  /**
   * The tensor stored as the output layer although the model ties the output layer to the embedding; `undefined` if
   * there is none.
   */
  readonly tiedCopy: ViewTensor | undefined;
  /** The rows that only pad the vocabulary, as one tensor per padded matrix. */
  readonly padding: readonly ViewTensor[];
  readonly faults: readonly TensorFault[];
}

/**
 * Opens a checkpoint of either format.
 * @throws {DataError} If there is no checkpoint, it cannot be read at all, or its model is not supported.
 */
export function openCheckpoint(path: string): Checkpoint {
  if (isTorchDist(path)) return openMegatron(path);
  if (isHfDirectory(path)) return openHf(path);
  // If iterations exist without a tracker, openMegatron() reports what is missing.
  if (exists(join(path, "release"))) return openMegatron(path);
  throw new DataError(
    `"${path}" is not a checkpoint: there is neither a config.json with *.safetensors nor a latest_checkpointed_iteration.txt`,
    { path, hint: "pass the directory that contains these files" },
  );
}

function openHf(path: string): Checkpoint {
  const { config, tensors, faults } = openHfDirectory(path);
  const read = (shape: CheckpointShape) => viewHf(path, { shape, tensors });
  return {
    path,
    format: "hf",
    shape: shapeOfConfig(config, join(path, "config.json")),
    faults: faults.map((what) => incomplete(path, what)),
    ignored: [...tensors.keys()].filter(isBuffer),
    view: read,
    [Symbol.dispose]: () => {},
  };
}

function incomplete(where: string, what: string): TensorFault {
  return {
    kind: "incomplete",
    where,
    tensors: [],
    what,
    training: TRAINING.unread,
  };
}

/**
 * Checks whether a tensor is the buffer of the rotary embedding. Old checkpoints contain this buffer, although it is
 * computed from the config.
 */
function isBuffer(name: string): boolean {
  return name.endsWith(".rotary_emb.inv_freq");
}

interface Tensors {
  readonly shape: CheckpointShape;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

function viewHf(where: string, { shape, tensors }: Tensors): View {
  const faults: TensorFault[] = [];
  const found = new Map<string, ViewTensor>();
  const layout = layoutOf(shape);
  for (const entry of layout) {
    const source = tensors.get(entry.name);
    if (source === undefined) {
      faults.push(missingFault(where, entry));
    } else if (shapeText(source.shape) !== shapeText(entry.shape)) {
      faults.push(shapeFault(where, { source, entry, wanted: entry.shape }));
    } else found.set(entry.name, wholeTensor(source));
  }
  const known = new Set(layout.map(({ name }) => name));
  const copy = shape.tied ? tensors.get(LM_HEAD) : undefined;
  const head = vocabulary(shape, LM_HEAD);
  if (copy && shapeText(copy.shape) !== shapeText(head.shape)) {
    faults.push(
      shapeFault(where, { source: copy, entry: head, wanted: head.shape }),
    );
  }
  const extra = [...tensors.keys()].filter((name) =>
    !known.has(name) && !isBuffer(name) && name !== copy?.name
  );
  return {
    tensors: found,
    tiedCopy: copy && wholeTensor(copy),
    padding: [],
    faults: [...byKind(faults), ...unexpected(where, extra)],
  };
}

function missingFault(where: string, { name }: LayoutEntry): TensorFault {
  return {
    kind: "missing",
    where,
    tensors: [name],
    what: `it is not in "${where}"`,
    training:
      'slime stops with "HuggingFace checkpoint does not contain" once the model is built',
  };
}

/**
 * Merges faults of the same kind into one fault if the names of their tensors differ only in numbers, such as the
 * layer.
 */
function byKind(faults: readonly TensorFault[]): TensorFault[] {
  const groups = Map.groupBy(
    faults,
    ({ kind, tensors: [name] }) => `${kind} ${name!.replace(/\d+/g, "N")}`,
  );
  return [...groups.values()].map((group) => ({
    ...group[0]!,
    tensors: group.flatMap(({ tensors }) => tensors),
  }));
}

function wholeTensor(source: StoredTensor): ViewTensor {
  const rows = source.shape[0]!;
  return {
    name: source.name,
    shape: source.shape,
    segments: [{ source, lead: [], row: 0, rows }],
  };
}

function shapeFault(
  where: string,
  { source, entry, wanted }: {
    source: StoredTensor;
    entry: LayoutEntry;
    wanted: readonly number[];
  },
): TensorFault {
  const [rows, columns] = source.shape.slice(-2);
  const turned = shapeText([...source.shape.slice(0, -2), columns!, rows!]) ===
    shapeText(wanted);
  return {
    kind: "shape",
    where,
    tensors: [entry.name],
    what: `"${source.name}" has the shape ${
      shapeText(source.shape)
    } in "${where}", but ${shapeText(wanted)} in a model of this shape${
      turned ? ": it is transposed" : ""
    }`,
    training: entry.padded
      ? "Megatron would silently load only a part of the tensor"
      : "loading would stop with a shape mismatch",
  };
}

function unexpected(where: string, names: readonly string[]): TensorFault[] {
  if (names.length === 0) return [];
  return [{
    kind: "unexpected",
    where,
    tensors: names,
    what: `"${where}" contains ${
      names.length === 1 ? "a tensor" : `${names.length} tensors`
    } that a model of this shape does not have`,
    training: `slime would ignore ${
      names.length === 1 ? "it" : "them"
    }, so this is probably another model`,
  }];
}

function openMegatron(path: string): Checkpoint {
  const dist = openTorchDist(path);
  const { tensors, directory, args, objects } = dist;
  const weights = new Map([...tensors].filter(([name]) => !isState(name)));
  const states = [...tensors.keys()].filter(isState);
  return {
    path,
    format: "torch_dist",
    shape: args && shapeOfArguments(args, join(directory, "common.pt")),
    faults: dist.faults.map((what) => incomplete(path, what)),
    ignored: [...objects, ...states],
    view: (shape) => viewMegatron(path, { shape, tensors: weights }),
    [Symbol.dispose]: () => dist[Symbol.dispose](),
  };
}

/**
 * Checks whether a tensor is part of a state, such as the optimizer's, rather than a weight. slime's converter skips
 * the same names.
 */
function isState(name: string): boolean {
  return name.includes("optimizer") || name.includes("_state") ||
    /^(chained_\d+|rng|rerun)/.test(name);
}

function viewMegatron(where: string, { shape, tensors }: Tensors): View {
  const table = new MegatronTable(where, { shape, tensors });
  const found = new Map<string, ViewTensor>();
  const padding: ViewTensor[] = [];
  const place = (entry: LayoutEntry) => {
    const placed = table.place(entry);
    const rest = placed && entry.padded ? table.padding(entry) : undefined;
    if (rest) padding.push(rest);
    return placed;
  };
  for (const entry of layoutOf(shape)) {
    const placed = place(entry);
    if (placed) found.set(entry.name, placed);
  }
  const head = vocabulary(shape, LM_HEAD);
  const tiedCopy = shape.tied && tensors.has(head.key)
    ? place(head)
    : undefined;
  return {
    tensors: found,
    tiedCopy,
    padding,
    faults: [...table.faults, ...unexpected(where, table.unread())],
  };
}

/**
 * Returns a layout entry's rows in the same Megatron tensor as the rows of `like`; `undefined` if `like` has no rows.
 */
export function placeInMegatron(
  entry: LayoutEntry,
  like: ViewTensor,
): ViewTensor | undefined {
  const [first] = like.segments;
  if (first === undefined) return undefined;
  const { source } = first;
  const { expert } = entry;
  const isStack = first.lead.length > (expert === undefined ? 0 : 1);
  const lead = leadOf(entry, isStack);
  return {
    ...like,
    segments: entry.ranges.map((range) => ({ source, lead, ...range })),
  };
}

/** Returns the indices along the axes of layers and experts, if the tensor has these axes. */
function leadOf(
  { layer, expert }: LayoutEntry,
  isStack: boolean,
): readonly number[] {
  return [
    ...isStack ? [layer ?? 0] : [],
    ...expert === undefined ? [] : [expert],
  ];
}

/** Finds the tensors of layout entries in a checkpoint, and collects faults, at most one per Megatron tensor. */
class MegatronTable {
  readonly #where: string;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #shape: CheckpointShape;
  readonly #faults = new Map<string, TensorFault>();
  readonly #read = new Set<string>();
  readonly #tiling = new Map<string, string | undefined>();

  constructor(where: string, { shape, tensors }: Tensors) {
    this.#where = where;
    this.#tensors = tensors;
    this.#shape = shape;
  }

  get faults(): readonly TensorFault[] {
    return [...this.#faults.values()];
  }

  /** Returns the names of the tensors that no layout entry used. */
  unread(): string[] {
    return [...this.#tensors.keys()].filter((name) => !this.#read.has(name));
  }

  place(entry: LayoutEntry): ViewTensor | undefined {
    const source = this.#find(entry);
    if (source === undefined) return undefined;
    const stacked = entry.layer !== undefined &&
      source.name.startsWith(LAYERS + entry.key);
    const lead = leadOf(entry, stacked);
    return {
      name: entry.name,
      shape: entry.shape,
      segments: entry.ranges.map((range) => ({ source, lead, ...range })),
    };
  }

  /** Returns the rows after the vocabulary, which are padding; `undefined` if there are none. */
  padding(entry: LayoutEntry): ViewTensor | undefined {
    const source = this.#find(entry);
    const row = entry.shape[0]!;
    const rows = (source?.shape[0] ?? row) - row;
    if (source === undefined || rows === 0) return undefined;
    return {
      name: entry.name,
      shape: [rows, ...entry.shape.slice(1)],
      segments: [{ source, lead: [], row, rows }],
    };
  }

  #find(entry: LayoutEntry): StoredTensor | undefined {
    const { key, layer } = entry;
    const stacked = layer === undefined ? key : LAYERS + key;
    const numbered = `${LAYERS}${layer}.${key}`;
    const name = this.#tensors.has(stacked) ? stacked : numbered;
    const source = this.#tensors.get(name);
    if (source === undefined) {
      const [lost, of] = layer === undefined || !this.#anyLayer(key)
        ? [stacked, "the checkpoint"]
        : [numbered, "its layer"];
      this.#note(lost, entry, {
        kind: "missing",
        what: `"${lost}" is missing from ${of} in "${this.#where}"`,
        training: TRAINING.skipped,
      });
      return undefined;
    }
    this.#read.add(name);
    return this.#isWhole(source, entry) ? source : undefined;
  }

  #anyLayer(key: string): boolean {
    return this.#tensors.keys().some((name) =>
      name.startsWith(LAYERS) && name.endsWith(`.${key}`) &&
      /^\d+$/.test(name.slice(LAYERS.length, -key.length - 1))
    );
  }

  #isWhole(source: StoredTensor, entry: LayoutEntry): boolean {
    const isStack = entry.layer !== undefined &&
      source.name === LAYERS + entry.key;
    const body = [entry.megatronRows, ...entry.shape.slice(1)];
    const { shape } = source;
    const { layers, experts } = this.#shape;
    const stacks = [
      ...isStack ? [layers] : [],
      ...entry.expert === undefined ? [] : [experts?.count ?? 0],
    ];
    const given = shape.slice(stacks.length);
    const rowsFit = entry.padded ? given[0]! >= body[0]! : given[0] === body[0];
    const fits = given.length === body.length && rowsFit &&
      body.slice(1).every((size, i) => size === given[i + 1]);
    if (!fits || stacks.some((size, axis) => size !== shape[axis])) {
      const wanted = [...stacks, ...body];
      this.#note(
        source.name,
        entry,
        shapeFault(this.#where, { source, entry, wanted }),
      );
      return false;
    }
    return this.#isTiled(source, entry);
  }

  #isTiled(source: StoredTensor, entry: LayoutEntry): boolean {
    if (!this.#tiling.has(source.name)) {
      this.#tiling.set(source.name, tilingFault(source.shape, source.chunks));
    }
    const fault = this.#tiling.get(source.name);
    if (fault === undefined) return true;
    this.#note(source.name, entry, {
      kind: "incomplete",
      what:
        `"${source.name}" in "${this.#where}" ${fault}: a rank's part is missing or duplicated`,
      training: TRAINING.unread,
    });
    return false;
  }

  /**
   * Adds a fault. If a fault with the same key was added before, the new fault replaces it and lists the tensors of
   * both. This way, a missing stack of layers is reported once, not once per layer.
   */
  #note(
    key: string,
    entry: LayoutEntry,
    fault: Pick<TensorFault, "kind" | "what" | "training">,
  ): void {
    const known = this.#faults.get(key);
    this.#faults.set(key, {
      ...fault,
      where: this.#where,
      tensors: [...known?.tensors ?? [], entry.name],
    });
  }
}
