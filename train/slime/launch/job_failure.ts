/** Why a slime job failed, or stands still: its last error, and what is known of it. */

import { plainLine } from "./log_line.ts";
import type { RayJob } from "./ray_jobs.ts";

/** What is known of a line in a log. */
export interface Symptom {
  readonly pattern: RegExp;
  readonly cause: string;
  readonly fix: string;
}

/** A job that shows one of these for long does not go on. */
export const STANDSTILLS: readonly Symptom[] = [{
  pattern: /Waiting for placement group/,
  cause: "Ray has too few free GPUs, or another job holds them",
  fix:
    "see the jobs and GPUs on Ray's dashboard, stop the other job by its id, or ask for fewer GPUs in cluster.gpusPerNode",
}];

/** Symptoms of jobs that fail, the most telling first. */
export const SYMPTOMS: readonly Symptom[] = [
  {
    pattern: /ModuleNotFoundError: No module named 'generate'/,
    cause: "the job's PYTHONPATH does not reach generate.py on this host",
    fix: "launch again: its files are written anew to every host",
  },
  {
    pattern: /ModuleNotFoundError: No module named '(slime|megatron|sglang)/,
    cause: "the interpreter of the job does not have what slime needs",
    fix: "set paths.python, paths.slime and paths.megatron, or run setup",
  },
  {
    pattern: /SetUpError: .*refused \(402\)/,
    cause: "the budget of the recipe is spent",
    fix: "raise budget.maxCost or budget.maxTokens in a new run",
  },
  {
    pattern: /SetUpError/,
    cause: "the episode servers refuse what generate.py asks",
    fix: "see the reason in the line, and logs/serve-*.log",
  },
  {
    pattern: /hf_validate_args failed/,
    cause: "the checkpoint's config.json is not of the model that was named",
    fix: "set model.name to what model.directory holds",
  },
  {
    pattern: /Invalid rollout server group GPU placement/,
    cause: "the GPUs of the engines do not make whole engines",
    fix: "make cluster.rolloutGpus a multiple of engine.gpus",
  },
  {
    pattern:
      /CUDA out of memory|OutOfMemoryError|CUDA error: out of memory|illegal memory access/,
    cause: "a GPU ran out of memory",
    fix: "lower parallel.maxTokensPerGpu or engine.memory",
  },
  {
    pattern: /Server process terminated unexpectedly/,
    cause:
      "SGLang died while it started: too little memory, or a model directory that it cannot read",
    fix: "lower engine.memory, and check model.directory on every host",
  },
  {
    pattern: /Max retries exceeded .*\/get_model_info/,
    cause:
      "an engine does not answer: its port is taken, or it ran out of memory",
    fix: "free the ports from 15000 on, or lower engine.memory",
  },
  {
    pattern: /Timeout while flushing cache/,
    cause: "requests were still running when the engines were put to sleep",
    fix: "end other clients of the engines; if there are none, report it",
  },
  {
    pattern: /Cannot find torch_memory_saver dynamic library/,
    cause: "this image cannot colocate training and engines",
    fix: "use slime's image, or set cluster.colocate to false",
  },
  {
    pattern: /does not exist or is an empty directory/,
    cause: "neither the checkpoint nor the reference can be loaded",
    fix: "check checkpoint.directory and model.directory on every host",
  },
  {
    pattern: /ref_load .*does not exist/,
    cause: "the reference's weights are not there",
    fix: "check model.reference, or set it to null",
  },
  {
    pattern: /Prompt dataset path .* does not exist/,
    cause: "the file of tasks is not on the head",
    fix: "launch again: its files are written anew to every host",
  },
  {
    pattern: /num_rollouts .* < global_batch_size/,
    cause: "a rollout has fewer episodes than a step of the optimizer takes",
    fix: "lower rollout.globalBatchSize, or raise rollout.batchSize",
  },
  {
    pattern: /(?:NaN|Inf|nan|inf)\b.*\bgrad|\bgrad\w*\b.*\b(?:NaN|nan)\b/,
    cause: "gradients are not finite",
    fix:
      "resume from the last checkpoint with a lower optimizer.learningRate, and look at the last episodes",
  },
  {
    pattern: /No space left on device/,
    cause: "a disk is full",
    fix: "free space in checkpoint.directory and Ray's temp dir, then resume",
  },
  {
    pattern: /Address already in use/,
    cause: "a port is taken",
    fix: "see which in the line; engine.routerPort is the router's",
  },
  {
    pattern: /worker died|ActorDiedError|The actor died|node.*(?:dead|failed)/i,
    cause: "a process or a host of the cluster died, often for want of memory",
    fix: "look at the host's memory and at Ray's logs, then resume",
  },
];

/** An end that is no success, in words. */
export interface JobFailure {
  /** The last error that the job printed, without Ray's prefixes; at most some lines. */
  readonly lastError: string;
  readonly symptom: Symptom | undefined;
}

const LAST_LINES = 12;

/** Reads the log of a job that failed. */
export function explainFailure(
  job: Pick<RayJob, "message">,
  lines: readonly string[],
): JobFailure {
  const plain = lines.map(plainLine);
  const error = lastErrorOf(plain);
  const lastError = error === "" ? job.message.trim() : error;
  return { lastError, symptom: symptomOf([...plain, lastError]) };
}

/** The failure as a paragraph. */
export function failureText({ lastError, symptom }: JobFailure): string {
  const known = symptom === undefined
    ? ""
    : `\nLikely cause: ${symptom.cause}; ${symptom.fix}`;
  return `${lastError}${known}`;
}

/** The most telling symptom, wherever in the log: what comes after it often is only what follows from it. */
function symptomOf(lines: readonly string[]): Symptom | undefined {
  return SYMPTOMS.find(({ pattern }) =>
    lines.some((line) => pattern.test(line))
  );
}

const ERROR_LINE = /^\s*(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt)\b.*/;

/** What Python says while it ends: it follows from the end and is not why. */
const AT_EXIT =
  /can't register atexit after shutdown|after (?:interpreter )?shutdown$|Error in atexit/;

/** The last lines up to the last one that names an error. */
function lastErrorOf(lines: readonly string[]): string {
  const telling = lines.findLastIndex((line) =>
    ERROR_LINE.test(line) && !AT_EXIT.test(line)
  );
  const end = telling < 0
    ? lines.findLastIndex((line) => ERROR_LINE.test(line))
    : telling;
  const words = end < 0 ? lines : lines.slice(0, end + 1);
  const tracebackAt = words.findLastIndex((line) =>
    line.startsWith("Traceback (most recent call last)") ||
    line.startsWith("ray::")
  );
  const from = Math.max(words.length - LAST_LINES, end < 0 ? 0 : tracebackAt);
  return words.slice(from).map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "").join("\n");
}
