/** Compares checkpoints where they are: on this machine, or on a host by the taulab that is there. */

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
  readonly equal: boolean;
  /** Each fault in one line. */
  readonly faults: readonly string[];
  /** Faults, notes and tensors are empty where a directory cannot be opened at all, but for that one fault. */
  readonly report: VerifyReport;
  readonly seconds: number;
  /** The largest resident size at the end of a block. */
  readonly peakBytes: number;
}

/** How far a verification is: bytes of all files; a `total` of 0 where the host does not tell. */
export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  /** Where it is done. */
  readonly place: string;
}

/** Options of {@linkcode verifierOf}. */
export interface VerifierOptions {
  /** Where the files are; `undefined` is this machine. */
  readonly host: Host | undefined;
  /** Of that place. */
  readonly shell: Shell;
  /** The model that shall be there; `undefined` is what the directories say. */
  readonly model: ModelName | undefined;
  /** Of the model, where it is known already. */
  readonly shape?: CheckpointShape | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** Compares two directories, or looks at one alone. */
export type Verifier = (
  from: string,
  to: string | undefined,
) => Promise<Verified>;

/** The verifier of a place. It throws {@linkcode HostError} where the host has no taulab, and no `DataError`. */
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
    throw new ConfigError(`"${from}" does not say which model it is of`, {
      hint: "name a recipe by --recipe",
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

/** A directory that cannot be opened at all is a fault as others are: of a try that was cut off, say. */
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

/** A report as `--json` prints it. */
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

/** What {@linkcode reportJson} writes, as far as people are told of it. */
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

/** Gigabytes do not travel: the taulab that `deno task setup` puts on a host compares there. */
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
    `${shell.name} could not compare "${from}"${
      to === undefined ? "" : ` with "${to}"`
    }: ${output.stderr.trim() || output.stdout.trim()}`,
    {
      hint:
        `put taulab there by "deno task setup --serve ${shell.name}" and run the same command again, or leave it out by --skip-verify`,
    },
  );
}
