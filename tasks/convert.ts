/**
 * `deno task convert`: checkpoints between Hugging Face's format and Megatron's, by slime's own tools, and whether
 * the result is the same model.
 */

import { resolve } from "node:path";
import { z } from "zod";
import { ConfigError, DataError, HostError } from "../env/errors.ts";
import {
  convert,
  type Converted,
  type Verdict,
} from "../train/slime/checkpoint/convert.ts";
import {
  type ConversionPlan,
  planConversion,
} from "../train/slime/checkpoint/convert_plan.ts";
import {
  type Probe,
  probeConversion,
} from "../train/slime/checkpoint/convert_probe.ts";
import {
  type Fault,
  faultText,
  TRAINING,
} from "../train/slime/checkpoint/tensor_fault.ts";
import type { CheckpointShape } from "../train/slime/checkpoint/checkpoint_layout.ts";
import { fullShape, shapeOfConfig } from "../train/slime/checkpoint/shape.ts";
import {
  verifyCheckpoints,
  type VerifyReport,
} from "../train/slime/checkpoint/verify_checkpoint.ts";
import { openCheckpoint } from "../train/slime/checkpoint/tensor_view.ts";
import type { Host } from "../train/slime/hosts/hosts_file.ts";
import { localShell } from "../train/slime/hosts/local_shell.ts";
import { quoteWords, type Shell } from "../train/slime/hosts/shell.ts";
import { sshShell } from "../train/slime/hosts/ssh_shell.ts";
import { pathWord } from "../train/slime/setup/step.ts";
import { MODEL_SHAPES, shapeMismatches } from "../train/slime/model_shapes.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import {
  type ConvertFlags,
  convertFlags,
  type ConvertRequest,
  convertRequest,
} from "./_convert_flags.ts";
import {
  convertLine,
  planText,
  reportJson,
  reportText,
  verifyLine,
} from "./_convert_view.ts";

async function run(
  flags: ConvertFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const request = await convertRequest(flags);
  await using place = openPlace(request.host, flags);
  if (!flags.verify) {
    return await runConversion(request, { place, flags, context });
  }
  const verify = verifierOf(request, { place, context });
  const { equal, report, text } = await verify(request.from, request.to);
  context.terminal.print(text);
  return { json: report, exitCode: equal ? EXIT.done : EXIT.failed };
}

/** Where the work is done. */
interface Place extends AsyncDisposable {
  /** Files are looked at here. */
  readonly host: Shell;
  /** slime's tools run here: the host, or a container of it that has the same directories. */
  readonly tools: Shell;
}

function openPlace(
  host: Host | undefined,
  { container, engine }: ConvertFlags,
): Place {
  const words = container === undefined
    ? []
    : [engine, "exec", "-i", container];
  if (host !== undefined) {
    const shell = sshShell(host);
    return {
      host: shell,
      tools: words.length === 0 ? shell : shell.within(words),
      [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
    };
  }
  const shell = localShell();
  return {
    host: shell,
    tools: words.length === 0 ? shell : within(shell, words),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A container of this machine. What a command is to see goes in as words of its line. */
function within(shell: Shell, words: readonly string[]): Shell {
  const inner = (
    { script, cwd, env = {} }: Parameters<Shell["run"]>[0],
  ) => ({
    script: quoteWords([
      ...words,
      "env",
      ...Object.entries(env).map((pair) => pair.join("=")),
      "sh",
      "-c",
      cwd === undefined ? script : `cd ${quoteWords([cwd])} && ${script}`,
    ]),
  });
  return {
    name: shell.name,
    run: (command, options) => shell.run(inner(command), options),
    describe: (command) => shell.describe(inner(command)),
  };
}

interface Work {
  readonly place: Place;
  readonly flags: ConvertFlags;
  readonly context: TaskContext;
}

async function runConversion(
  request: ConvertRequest,
  { place, flags, context }: Work,
): Promise<TaskResult> {
  const { terminal, signal } = context;
  const { config, to } = request;
  const { host } = request;
  const absolute = (path: string) => host === undefined ? resolve(path) : path;
  const from = absolute(request.from);
  const probe = await probeConversion(place.tools, {
    from,
    to: to && absolute(to),
    slime: config.paths.slime,
    signal,
  });
  if (to === undefined) return notNeeded(request, { probe, context });
  const origin = absolute(
    probe.format === "hf" ? from : originOf(request, probe),
  );
  const shape = await shapeOf(request, { place, directory: origin });
  const plan = planConversion({
    format: probe.format,
    from,
    input: probe.input,
    to: absolute(to),
    origin,
    shape,
    slime: config.paths.slime,
    megatron: config.paths.megatron,
    python: config.paths.python,
    gpus: flags.gpus ?? Math.max(1, probe.gpus),
  });
  const json = { from, to: plan.to, format: plan.format, words: plan.words };
  if (flags.dryRun) {
    terminal.print(planText(plan, place.tools));
    return { json: { ...json, state: "planned", probe } };
  }
  refuseWithoutTool(probe, { place, slime: config.paths.slime });
  const verify = verifierOf(request, { place, context, shape });
  const converted = await convert(plan, probe, {
    shell: place.tools,
    verify: flags.skipVerify ? undefined : verify,
    force: flags.force,
    signal,
    onStage: (text) => terminal.note(text),
    onProgress: (progress) => terminal.progress(convertLine(progress)),
  });
  terminal.endProgress();
  return tell(converted, { plan, json, context });
}

function tell(
  { state, verdict }: Converted,
  { plan, json, context: { terminal } }: {
    plan: ConversionPlan;
    json: Record<string, unknown>;
    context: TaskContext;
  },
): TaskResult {
  const said = {
    there: `Nothing to do: "${plan.to}" is "${plan.from}" converted`,
    adopted: `"${plan.to}" is what an earlier try had written whole`,
    converted: `"${plan.from}" is now in "${plan.to}"`,
  }[state];
  terminal.print(
    `${said}${
      verdict === undefined ? "; not verified" : "; every tensor is equal"
    }`,
  );
  return { json: { ...json, state, verified: verdict !== undefined } };
}

/** A recipe without a reference lets slime load the model itself. */
function notNeeded(
  { from, isRecipe }: ConvertRequest,
  { probe, context: { terminal } }: { probe: Probe; context: TaskContext },
): TaskResult {
  if (!isRecipe || probe.format !== "hf") {
    throw new ConfigError("Say where the result shall be, by --to DIR");
  }
  if (!probe.direct && probe.tool) {
    throw new ConfigError(
      `The recipe's model.reference is null, and this slime is too old to load "${from}" by itself`,
      {
        hint:
          'name a directory by --to, and as model.reference, or update slime by "deno task setup"',
      },
    );
  }
  terminal.print(
    `No conversion is needed: the recipe's model.reference is null, and slime loads "${from}" by itself; to convert nevertheless, say where to by --to DIR`,
  );
  return { json: { state: "not_needed", from, direct: probe.direct } };
}

function originOf({ origin }: ConvertRequest, { input }: Probe): string {
  if (origin !== undefined) return origin;
  throw new ConfigError(
    `"${input}" has no config and no tokenizer`,
    {
      hint:
        "name the model that was trained by --origin DIR, or a recipe by --recipe",
    },
  );
}

function refuseWithoutTool(
  { tool }: Probe,
  { place, slime }: { place: Place; slime: string },
): void {
  if (tool) return;
  throw new ConfigError(
    `There is no slime in "${slime}" on ${place.tools.name}: tools/convert_hf_to_torch_dist.py is missing`,
    {
      hint:
        'set it up by "deno task setup", name its container by --container, or its directory by --set paths.slime=DIR',
    },
  );
}

/** The recipe's model, if the directory is one of it; without a recipe what the directory says. */
async function shapeOf(
  { config, isRecipe }: ConvertRequest,
  { place, directory }: { place: Place; directory: string },
): Promise<CheckpointShape> {
  const path = `${directory}/config.json`;
  const { code, stdout, stderr } = await place.tools.run({
    script: quoteWords(["cat", path]),
  });
  if (code !== 0) {
    throw new HostError(
      `"${path}" cannot be read on ${place.tools.name}: ${stderr.trim()}`,
      { hint: "name the model's directory" },
    );
  }
  if (!isRecipe) return shapeOfConfig(stdout, path);
  const { name } = config.model;
  const [wrong] = shapeMismatches(MODEL_SHAPES[name], { text: stdout, path });
  if (wrong !== undefined) {
    throw new ConfigError(
      `"${path}" is not of ${name}: ${wrong.key} is ${wrong.found}, and the recipe's model has ${wrong.expected}`,
      {
        hint:
          "name the right model by --recipe, or leave it away to take what config.json says",
      },
    );
  }
  return fullShape(MODEL_SHAPES[name]);
}

interface Verified extends Verdict {
  readonly report: Record<string, unknown>;
  /** For people. */
  readonly text: string;
}

/** Compares where the files are: here, or by a taulab that is there. */
function verifierOf(
  request: ConvertRequest,
  { place, context, shape }: {
    place: Place;
    context: TaskContext;
    shape?: CheckpointShape;
  },
): (from: string, to: string | undefined) => Promise<Verified> {
  const { host } = request;
  return (from, to) =>
    host === undefined
      ? verifyHere({ from, to, request, shape, context })
      : verifyThere({ from, to, request, host, shell: place.host, context });
}

async function verifyHere(options: VerifyHere): Promise<Verified> {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let peakBytes = 0;
  const { terminal } = options.context;
  function onProgress(done: number, total: number): void {
    peakBytes = Math.max(peakBytes, Deno.memoryUsage().rss);
    terminal.progress(verifyLine({ done, total, seconds: elapsed() }));
  }
  try {
    const report = await compareHere(options, onProgress);
    return verified(report, { seconds: elapsed(), peakBytes });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return unreadable(error);
  }
}

interface VerifyHere {
  readonly from: string;
  readonly to: string | undefined;
  readonly request: ConvertRequest;
  readonly shape: CheckpointShape | undefined;
  readonly context: TaskContext;
}

async function compareHere(
  { from, to, request, shape, context: { terminal, signal } }: VerifyHere,
  onProgress: (done: number, total: number) => void,
): Promise<VerifyReport> {
  using one = openCheckpoint(from);
  using other = to === undefined ? undefined : openCheckpoint(to);
  const hf = one.format === "hf" ? one : other?.format === "hf" ? other : one;
  const wanted = shape ??
    (request.isRecipe
      ? fullShape(MODEL_SHAPES[request.config.model.name])
      : hf.shape ?? other?.shape);
  if (wanted === undefined) {
    throw new ConfigError(
      `"${from}" does not say which model it is of: name a recipe by --recipe`,
    );
  }
  const report = await verifyCheckpoints(one, {
    shape: wanted,
    other,
    signal,
    onProgress,
  });
  terminal.endProgress();
  return report;
}

/** A directory that cannot be opened at all is a fault as others are: of a try that was cut off, say. */
function unreadable({ message, path = "" }: DataError): Verified {
  const fault: Fault = {
    kind: "incomplete",
    where: path,
    tensors: [],
    what: message,
    training: TRAINING.unread,
  };
  return {
    equal: false,
    faults: [faultText(fault)],
    report: { equal: false, faults: [fault], tensors: [] },
    text: `✗ ${faultText(fault)}`,
  };
}

/** @param peakBytes The largest resident size at the end of a block. */
function verified(
  report: VerifyReport,
  { seconds, peakBytes }: { seconds: number; peakBytes: number },
): Verified {
  return {
    equal: report.faults.length === 0,
    faults: report.faults.map(faultText),
    report: { ...reportJson(report, seconds), peak_memory_bytes: peakBytes },
    text: reportText(report, seconds),
  };
}

const remoteSchema = z.object({
  equal: z.boolean(),
  faults: z.array(z.object({
    kind: z.string(),
    tensors: z.array(z.string()),
    what: z.string(),
    training: z.string(),
  })),
  tensors: z.array(z.unknown()),
});

/** Gigabytes do not travel: the taulab that `deno task setup` puts on a host compares there. */
async function verifyThere(
  { from, to, request: { config, isRecipe }, host, shell, context }: {
    from: string;
    to: string | undefined;
    request: ConvertRequest;
    host: Host;
    shell: Shell;
    context: TaskContext;
  },
): Promise<Verified> {
  const taulab = `${(host.dir ?? "~/.taulab").replace(/\/+$/, "")}/taulab`;
  const words = [
    ...["--verify", "--json", "--from", from],
    ...(to === undefined ? [] : ["--to", to]),
    ...(isRecipe
      ? ["--recipe", "qwen3-4b", "--set", `model.name=${config.model.name}`]
      : []),
  ];
  const script = `cd ${
    pathWord(taulab)
  } && npx -y deno@${Deno.version.deno} task --quiet convert ${
    quoteWords(words)
  }`;
  context.terminal.progress(`verifying on ${shell.name}`);
  const output = await shell.run({ script }, { signal: context.signal });
  context.terminal.endProgress();
  const last = output.stdout.trim().split("\n").at(-1) ?? "";
  const parsed = remoteSchema.safeParse(parseJson(last));
  if (!parsed.success) {
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
  const { equal, faults, tensors } = parsed.data;
  const lines = faults.map((fault) =>
    faultText({ ...fault, kind: fault.kind as "values", where: "" })
  );
  return {
    equal,
    faults: lines,
    report: parseJson(last) as Record<string, unknown>,
    text: [
      ...lines.map((line) => `✗ ${line}`),
      `${tensors.length} tensors on ${shell.name}: ${
        equal ? "no fault" : `${faults.length} faults`
      }`,
    ].join("\n"),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  await main({
    name: "convert",
    summary:
      "Convert a model between Hugging Face's format and Megatron's by slime's tools, and verify every tensor",
    flags: convertFlags,
    examples: [
      {
        command:
          "deno task convert --from /root/Qwen3-4B --to /root/Qwen3-4B_torch_dist",
        does:
          "to Megatron's format; run it again to go on or to see that it is done",
      },
      {
        command:
          "deno task convert --verify --from /root/Qwen3-4B --to /root/Qwen3-4B_torch_dist",
        does: "compare two checkpoints tensor by tensor, in either direction",
      },
      {
        command:
          "deno task convert --verify --from /root/Qwen3-4B --recipe qwen3-4b",
        does: "whether a download is whole and of the recipe's model",
      },
      {
        command:
          "deno task convert --from runs/a1/checkpoints --to /root/trained --recipe qwen3-4b --host gpu1",
        does: "back to Hugging Face's format, on a host",
      },
    ],
    notes:
      "Exit code 1 means that a tensor is missing, of another shape, or differs. slime skips a tensor that a checkpoint lacks, and trains on from random values there.",
    interruptNote:
      "Stopping; what is written is looked at by the next try. Ctrl-C again stops at once",
    run,
  });
}
