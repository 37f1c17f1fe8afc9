/** Compares checkpoints on the machine that holds them: either this machine, or a host on which taulab is installed. */

import { z } from "zod";
import {
  ConfigError,
  DataError,
  HostError,
  messageOf,
} from "../../../env/errors.ts";
import { parseJson } from "../../runs/versions.ts";
import type { Host } from "../hosts/hosts_file.ts";
import { pathWord, quoteWords, type Shell } from "../hosts/shell.ts";
import { MODEL_SHAPES, type ModelName } from "../model_shapes.ts";
import { hostTaulab } from "../setup/host_taulab.ts";
import type { CheckpointShape } from "./checkpoint_layout.ts";
import { fullShape } from "./shape.ts";
import { type TensorFault, tensorFaultText, TRAINING } from "./tensor_fault.ts";
import { openCheckpoint } from "./tensor_view.ts";
import { verifyCheckpoints, type VerifyReport } from "./verify_checkpoint.ts";

/** The result of a verification. */
export interface Verified {
  /** Whether no fault was found. This also applies if only a single directory was inspected. */
  readonly equal: boolean;
  /** Descriptions of the faults, one line each. */
  readonly faults: readonly string[];
  /**
   * The full report. If a directory cannot be opened at all, the report contains a single fault, which describes the
   * error.
   */
  readonly report: VerifyReport;
  readonly seconds: number;
  /** The largest resident memory in bytes, measured after each block. */
  readonly peakBytes: number;
}

/**
 * The progress of a verification, in bytes, for all tensors of both checkpoints. `total` is 0 if the verification runs
 * on another machine, which reports no progress.
 */
export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  /** The name of the machine that verifies. */
  readonly place: string;
}

/** Options for {@linkcode verifierOf}. */
export interface VerifierOptions {
  /** The host that holds the files; `undefined` for this machine. */
  readonly host: Host | undefined;
  /** The shell of that machine. */
  readonly shell: Shell;
  /** The model that the checkpoints must contain; `undefined` to use the model that a directory describes. */
  readonly model: ModelName | undefined;
  /** The model's shape, if it is already known. */
  readonly shape?: CheckpointShape | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** A function that compares two checkpoint directories, or inspects a single directory. */
export type Verifier = (
  from: string,
  to: string | undefined,
) => Promise<Verified>;

/**
 * Creates the verifier of a machine. On a host, the verifier throws {@linkcode HostError} if the host cannot be reached
 * or has no taulab. On this machine, it throws {@linkcode ConfigError} if neither the options nor a directory describes
 * the model's shape. Damaged files are reported as faults, not thrown.
 */
export function verifierOf(options: VerifierOptions): Verifier {
  const { host } = options;
  return host === undefined
    ? (from, to) => verifyHere({ from, to }, options)
    : (from, to) => verifyThere({ from, to, host }, options);
}

interface Directories {
  readonly from: string;
  readonly to: string | undefined;
}

async function verifyHere(
  directories: Directories,
  options: VerifierOptions,
): Promise<Verified> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const place = options.shell.name;
  let peakBytes = 0;
  try {
    const report = await compare(directories, options, (done, total) => {
      peakBytes = Math.max(peakBytes, Deno.memoryUsage().rss);
      options.onProgress?.({ done, total, seconds: seconds(), place });
    });
    return verified({ report, seconds: seconds(), peakBytes });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const fault = unreadable(error);
    const report = { ...EMPTY, faults: [fault] };
    return verified({ report, seconds: seconds(), peakBytes });
  }
}

async function compare(
  { from, to }: Directories,
  { model, shape, signal }: VerifierOptions,
  onProgress: (done: number, total: number) => void,
): Promise<VerifyReport> {
  using one = openCheckpoint(from);
  using other = to === undefined ? undefined : openCheckpoint(to);
  const hf = one.format === "torch_dist" && other?.format === "hf"
    ? other
    : one;
  const wanted = shape ??
    (model ? fullShape(MODEL_SHAPES[model]) : hf.shape ?? other?.shape);
  if (wanted === undefined) {
    throw new ConfigError(`"${from}" does not describe the model's shape`, {
      hint: "pass a recipe with --recipe",
    });
  }
  return await verifyCheckpoints(one, {
    shape: wanted,
    other,
    signal,
    onProgress,
  });
}

const EMPTY = {
  checkpoints: [],
  shape: undefined,
  tensors: [],
  notes: [],
  bytes: 0,
};

/** Creates the fault for a directory that cannot be opened, for example after an interrupted attempt. */
function unreadable(error: DataError): TensorFault {
  return {
    kind: "incomplete",
    where: error.path ?? "",
    tensors: [],
    what: messageOf(error),
    training: TRAINING.unread,
  };
}

function verified(
  rest: Pick<Verified, "report" | "seconds" | "peakBytes">,
): Verified {
  const { faults } = rest.report;
  return {
    ...rest,
    equal: faults.length === 0,
    faults: faults.map(tensorFaultText),
  };
}

/** Returns the report that `--json` prints. */
export function reportJson(
  { equal, report, seconds, peakBytes }: Verified,
): Record<string, unknown> {
  return {
    equal,
    ...report,
    seconds,
    bytes_per_s: report.bytes / seconds,
    peak_memory_bytes: peakBytes,
  };
}

/** The parts of {@linkcode reportJson}'s output that are shown to users. */
const jsonSchema = z.looseObject({
  checkpoints: z.array(z.looseObject({ ignored: z.array(z.string()) })),
  faults: z.array(z.looseObject({
    kind: z.string(),
    tensors: z.array(z.string()),
    what: z.string(),
    training: z.string(),
  })),
  tensors: z.array(z.looseObject({
    kind: z.string(),
    shape: z.array(z.number()),
    dtypes: z.array(z.string()),
    status: z.string(),
  })),
  notes: z.array(z.string()),
  bytes: z.number(),
  seconds: z.number(),
  peak_memory_bytes: z.number(),
});

/**
 * Compares checkpoints on a host, with the copy of taulab that `deno task setup` installed there, so that no weights
 * are transferred.
 */
async function verifyThere(
  { from, to, host }: Directories & { readonly host: Host },
  { shell, model, signal, onProgress }: VerifierOptions,
): Promise<Verified> {
  const { taulab, deno } = hostTaulab(host.dir);
  const words = [
    ...["--verify", "--json", "--from", from],
    ...(to === undefined ? [] : ["--to", to]),
    ...(model ? ["--recipe", "qwen3-4b", "--set", `model.name=${model}`] : []),
  ];
  const script = `cd ${pathWord(taulab)} && ${deno} task --quiet convert ${
    quoteWords(words)
  }`;
  onProgress?.({ done: 0, total: 0, seconds: 0, place: shell.name });
  const output = await shell.run({ script }, { signal });
  const line = output.stdout.trim().split("\n").at(-1)!;
  const parsed = jsonSchema.safeParse(parseJson(line));
  if (parsed.success) {
    const { seconds, peak_memory_bytes: peakBytes, ...rest } = parsed.data;
    const { equal: _, bytes_per_s: __, ...report } = rest;
    return verified({
      report: report as unknown as VerifyReport,
      seconds,
      peakBytes,
    });
  }
  throw new HostError(
    `Cannot ${
      to === undefined ? `verify "${from}"` : `compare "${from}" with "${to}"`
    } on ${shell.name}: ${
      output.stderr.trim() || output.stdout.trim() ||
      `exit status ${output.code}`
    }`,
    {
      hint:
        `run "deno task setup --serve ${shell.name}" to install taulab there; to convert without verification, pass --skip-verify`,
    },
  );
}
