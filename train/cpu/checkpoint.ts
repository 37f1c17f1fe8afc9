/**
 * Reads and writes the policy's checkpoints. A checkpoint consists of `policy.json`, with the shape and the checksums,
 * and one file each for the weights, the first moments, the second moments and, if there is one, the reference. These
 * files contain little-endian f32 values in the order of the layout.
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import { messageOf, PolicyError } from "../../env/errors.ts";
import { explainIssue } from "../../env/schema_issue.ts";
import { refusalOf } from "../../env/system_error.ts";
import { layoutOf } from "./layout.ts";
import { type ModelConfig, ModelConfigSchema } from "./model_config.ts";

/** The contents of a checkpoint. Arrays are `[layout.floats]`. */
export interface Checkpoint {
  readonly config: ModelConfig;
  /** The number of optimizer steps since the optimizer was created or reset. */
  readonly steps: number;
  readonly weights: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly reference?: Float32Array;
}

const FORMAT = 1;
const MANIFEST = "policy.json";
const TENSORS = ["weights", "first", "second", "reference"] as const;

const FileSchema = z.strictObject({
  sha256: z.string().length(64),
  bytes: z.number().int().nonnegative(),
});

const ManifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  config: ModelConfigSchema,
  steps: z.number().int().nonnegative(),
  files: z.strictObject({
    weights: FileSchema,
    first: FileSchema,
    second: FileSchema,
    reference: FileSchema.optional(),
  }),
  /** The tensors and their offsets in floats, for people and other programs. */
  tensors: z.array(z.strictObject({
    name: z.string(),
    shape: z.array(z.number()),
    offset: z.number(),
  })),
});

/**
 * Writes a checkpoint to `dir` atomically, by writing a temporary directory and renaming it. An existing checkpoint is
 * replaced. If the replacement is interrupted, either the old or the new checkpoint can be read.
 * @throws {PolicyError} If the checkpoint cannot be written. An existing checkpoint can then still be read, unless the
 * new one has already replaced it.
 */
export async function writeCheckpoint(
  dir: string,
  checkpoint: Checkpoint,
): Promise<void> {
  const partial = `${dir}.partial`;
  try {
    await removeDir(partial);
    await Deno.mkdir(partial, { recursive: true });
    const files: Record<string, z.infer<typeof FileSchema>> = {};
    for (const name of TENSORS) {
      const tensor = checkpoint[name];
      if (tensor) files[name] = await writeTensor(partial, name, tensor);
    }
    const manifest = {
      format: FORMAT,
      config: checkpoint.config,
      steps: checkpoint.steps,
      files,
      tensors: layoutOf(checkpoint.config).parameters
        .map(({ name, shape, offset }) => ({ name, shape, offset })),
    };
    await Deno.writeTextFile(
      `${partial}/${MANIFEST}`,
      JSON.stringify(manifest, null, 2) + "\n",
    );
    await replaceDir(partial, dir);
  } catch (cause) {
    await removeDir(partial).catch(() => {});
    throw new PolicyError(
      `Cannot write the checkpoint "${dir}": ${reason(cause)}`,
      { cause, hint: refusalOf(cause)?.hint ?? "choose another directory" },
    );
  }
}

/**
 * Reads a checkpoint and verifies its checksums. If `dir` is missing because its replacement was interrupted, reads the
 * previous checkpoint.
 * @param options.expect The required shape.
 * @throws {PolicyError} If it is missing or damaged, or has another format or shape. The message names the file or
 * directory, and the hint says how to fix it.
 */
export async function readCheckpoint(
  dir: string,
  options: { expect?: ModelConfig } = {},
): Promise<Checkpoint> {
  const place = await exists(dir) ? dir : `${dir}.previous`;
  const manifest = await readManifest(await exists(place) ? place : dir);
  const { config, steps, files } = manifest;
  if (options.expect) checkShape(dir, config, options.expect);
  const floats = layoutOf(config).floats;
  const read = (name: typeof TENSORS[number]) =>
    readTensor(`${place}/${name}.f32`, files[name]!, floats);
  return {
    config,
    steps,
    weights: await read("weights"),
    first: await read("first"),
    second: await read("second"),
    ...(files.reference ? { reference: await read("reference") } : {}),
  };
}

async function readManifest(
  dir: string,
): Promise<z.infer<typeof ManifestSchema>> {
  const path = `${dir}/${MANIFEST}`;
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw new PolicyError(
      `Cannot read the checkpoint file "${path}": ${reason(cause)}`,
      { cause, hint: "pass a directory written by training, or train again" },
    );
  }
  const format = z.looseObject({ format: z.number() }).safeParse(value);
  if (format.success && format.data.format > FORMAT) {
    throw new PolicyError(
      `"${path}" has format ${format.data.format}, but this version of taulab supports formats up to ${FORMAT}`,
      { hint: "update taulab" },
    );
  }
  const parsed = ManifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const at = issue.path.join(".") || "the whole file";
  throw new PolicyError(
    `"${path}" is not a checkpoint manifest: ${at}: ${
      explainIssue(issue, undefined)
    }`,
    { hint: "use another checkpoint or train again" },
  );
}

function checkShape(
  dir: string,
  found: ModelConfig,
  expected: ModelConfig,
): void {
  const wrong = (Object.keys(expected) as (keyof ModelConfig)[])
    .filter((key) => found[key] !== expected[key])
    .map((key) => `${key} is ${found[key]}, expected ${expected[key]}`);
  if (wrong.length === 0) return;
  throw new PolicyError(
    `The checkpoint "${dir}" has another model shape: ${wrong.join(", ")}`,
    {
      hint:
        "use the recipe that the checkpoint was trained with, or choose another checkpoint",
    },
  );
}

async function writeTensor(
  dir: string,
  name: string,
  tensor: Float32Array,
): Promise<z.infer<typeof FileSchema>> {
  const bytes = littleEndian(tensor);
  await Deno.writeFile(`${dir}/${name}.f32`, bytes);
  return { sha256: sha256(bytes), bytes: bytes.length };
}

async function readTensor(
  path: string,
  file: z.infer<typeof FileSchema>,
  floats: number,
): Promise<Float32Array> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    throw new PolicyError(
      `Cannot read the checkpoint file "${path}": ${reason(cause)}`,
      { cause, hint: "use another checkpoint" },
    );
  }
  const intact = bytes.length === floats * 4 && bytes.length === file.bytes &&
    sha256(bytes) === file.sha256;
  if (!intact) {
    throw new PolicyError(
      `"${path}" is damaged: its ${bytes.length} bytes do not match the manifest, which records ${file.bytes} bytes with SHA-256 ${file.sha256}`,
      { hint: "use an earlier checkpoint" },
    );
  }
  const view = new DataView(bytes.buffer);
  return Float32Array.from(
    { length: floats },
    (_, i) => view.getFloat32(i * 4, true),
  );
}

function littleEndian(tensor: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(tensor.length * 4);
  const view = new DataView(bytes.buffer);
  tensor.forEach((x, i) => view.setFloat32(i * 4, x, true));
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Replaces the directory `to` with `from`. Until `from` is in place, the old contents are kept under another name. */
async function replaceDir(from: string, to: string): Promise<void> {
  const previous = `${to}.previous`;
  const had = await exists(to);
  if (had) {
    await removeDir(previous);
    await Deno.rename(to, previous);
  }
  await Deno.rename(from, to);
  await removeDir(previous);
}

async function removeDir(dir: string): Promise<void> {
  try {
    await Deno.remove(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function reason(cause: unknown): string {
  return messageOf(cause);
}
