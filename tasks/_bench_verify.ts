/**
 * Benchmarks the speed and the memory use of `convert --verify`, which compares two checkpoints. It runs as a separate
 * process, and its speed is compared with the speed of `sha256sum` on the same files.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fullShape } from "../train/slime/checkpoint/shape.ts";
import { MODEL_SHAPES, type ModelName } from "../train/slime/model_shapes.ts";
import {
  hfTensors,
  megatronChunks,
  SyntheticNumbers,
  writeHf,
  writeTorchDist,
} from "../train/slime/checkpoint/synthetic_checkpoint.ts";
import { type Measured, measured, timed } from "./_bench_measure.ts";

/** The benchmark results for a pair of checkpoints. */
export interface VerifyBench {
  readonly model: ModelName;
  /** The total size of the files of both checkpoints. */
  readonly bytes: number;
  /** Speeds with the files in the page cache. */
  readonly warm: SpeedPair;
  /** Speeds without the files in the page cache. */
  readonly cold: SpeedPair;
  /** The peak resident memory of the process in bytes, sampled after each block. */
  readonly peakBytes: Measured;
}

/**
 * Speeds of `convert --verify` and `sha256sum` in bytes per second. The programs run one after the other, under the
 * same conditions.
 */
export interface SpeedPair {
  readonly verify: Measured;
  readonly sha256sum: Measured;
  /** The speed of `convert --verify` divided by the speed of the `sha256sum` run after it. */
  readonly ratio: Measured;
}

/** Options for {@linkcode benchVerify}. */
export interface VerifyBenchOptions {
  /** The model whose shape the checkpoints have; their values are random. */
  readonly model: ModelName;
  /** The number of repeats. Default: 3. */
  readonly repeats?: number;
  readonly onStage?: (text: string) => void;
}

/** Runs the benchmark on two checkpoints in a temporary directory, which is removed afterwards. */
export async function benchVerify(
  { model, repeats = 3, onStage = () => {} }: VerifyBenchOptions,
): Promise<VerifyBench> {
  const dir = await Deno.makeTempDir({ prefix: "taulab-bench-" });
  try {
    onStage(`writing two checkpoints of ${model}`);
    await writePair(dir, model);
    const files = await filesUnder(dir);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const paths = files.map(({ path }) => path);
    const peaks: number[] = [];
    const measure = async (isWarm: boolean) => {
      const pairs: [number, number][] = [];
      for (let i = 0; i < repeats; i++) {
        onStage(
          `comparing ${isWarm ? "warm" : "cold"}, ${i + 1} of ${repeats}`,
        );
        const prepare = () => isWarm ? warm(paths) : evict(paths);
        await prepare();
        const ours = await timed(() => verify(dir));
        peaks.push(ours.value);
        await prepare();
        const theirs = await timed(() => run("sha256sum", paths));
        pairs.push([bytes / ours.seconds, bytes / theirs.seconds]);
      }
      return {
        verify: measured(pairs.map(([a]) => a)),
        sha256sum: measured(pairs.map(([, b]) => b)),
        ratio: measured(pairs.map(([a, b]) => a / b)),
      };
    };
    const [cold, hot] = [await measure(false), await measure(true)];
    return { model, bytes, cold, warm: hot, peakBytes: measured(peaks) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function writePair(dir: string, model: ModelName): Promise<void> {
  const shape = fullShape(MODEL_SHAPES[model]);
  const numbers = new SyntheticNumbers();
  await writeHf(join(dir, "hf"), { shape, tensors: hfTensors(shape, numbers) });
  await writeTorchDist(join(dir, "megatron"), {
    shape,
    chunks: megatronChunks(shape, numbers),
  });
  await run("sync", []);
}

/**
 * Runs `convert --verify` on the checkpoints in a directory.
 * @returns The peak memory of the process in bytes.
 */
async function verify(dir: string): Promise<number> {
  const task = fileURLToPath(new URL("convert.ts", import.meta.url));
  const output = await run("deno", [
    ...["run", "--no-prompt", "--allow-read"],
    "--ignore-env=LOG_TOKENS,LOG_STREAM",
    ...[task, "--verify", "--json"],
    ...["--from", join(dir, "hf"), "--to", join(dir, "megatron")],
  ]);
  const report = JSON.parse(output);
  if (report.equal !== true) throw new Error("The two checkpoints differ");
  return report.peak_memory_bytes;
}

async function warm(paths: readonly string[]): Promise<void> {
  await run("cksum", paths);
}

/** Advises the system to drop files from the page cache. It only drops files whose contents are on disk. */
async function evict(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await run("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]);
  }
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code === 0) return text(stdout);
  throw new Error(`${program} failed: ${text(stderr)}`);
}

async function filesUnder(
  dir: string,
): Promise<{ path: string; size: number }[]> {
  const files = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isDirectory) files.push(...await filesUnder(path));
    else files.push({ path, size: (await Deno.stat(path)).size });
  }
  return files;
}
